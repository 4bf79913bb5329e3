package org.chunkllama.sample;

import java.util.List;

/**
 * Log probabilities of one generated token, from the model's logits before penalties and
 * temperature.
 *
 * @param token the chosen id
 * @param logprob its natural-log probability
 * @param top the likeliest tokens, best first; as many as were asked for
 */
public record TokenLogprobs(int token, float logprob, List<Candidate> top) {
  /** A token that could have been chosen. */
  public record Candidate(int token, float logprob) {}

  public TokenLogprobs {
    top = List.copyOf(top);
  }
}
