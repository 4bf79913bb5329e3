package org.chunkllama.schedule;

import org.chunkllama.error.ContextLengthException;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.prefix.PrefixTree;
import org.chunkllama.sample.GenerationOptions;

/** What a request must keep to, before it may wait. */
final class RequestCheck {
  private final PrefixTree tree;
  private final Admission admission;
  private final EngineLimits limits;
  private final int vocabulary;

  RequestCheck(PrefixTree tree, Admission admission, EngineLimits limits, int vocabulary) {
    this.tree = tree;
    this.admission = admission;
    this.limits = limits;
    this.vocabulary = vocabulary;
  }

  /**
   * Does nothing if the request can be run.
   *
   * @throws InvalidRequestException if a rule is broken
   * @throws ContextLengthException if the prompt is too long
   */
  void check(EngineRequest request) {
    int[] prompt = request.prompt();
    if (prompt.length == 0) {
      throw new InvalidRequestException("the prompt is empty; give it at least one token");
    }
    int room = tree.chunksTotal() * tree.chunkTokens();
    if (prompt.length >= limits.context() && limits.context() >= room) {
      throw new ContextLengthException(
          "the prompt has %d tokens, the KV pool holds %d; shorten it to %d or less, or give the pool more memory (--kv-memory)"
              .formatted(prompt.length, room, room - 1));
    }
    if (prompt.length >= limits.context()) {
      throw new ContextLengthException(
          "the prompt has %d tokens, the context is %d; shorten it to %d or less"
              .formatted(prompt.length, limits.context(), limits.context() - 1));
    }
    int chunks = (prompt.length + tree.chunkTokens() - 1) / tree.chunkTokens();
    if (chunks > tree.chunksTotal()) {
      throw admission.tooSmall(prompt.length);
    }
    for (int token : prompt) {
      if (token < 0 || token >= vocabulary) {
        throw new InvalidRequestException(
            "token id %d is not in the vocabulary of %d".formatted(token, vocabulary));
      }
    }
    GenerationOptions options = request.options();
    int weight = Math.max(options.branches(), options.beams());
    if (weight > limits.maxSequences()) {
      throw new InvalidRequestException(
          "a request of %d sequences; at most %d run at once"
              .formatted(weight, limits.maxSequences()));
    }
  }
}
