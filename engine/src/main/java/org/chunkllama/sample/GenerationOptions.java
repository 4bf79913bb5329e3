package org.chunkllama.sample;

import java.util.List;
import java.util.Optional;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.guide.Guide;

/**
 * What to generate and when to stop.
 *
 * @param maxTokens most tokens per completion, 1 or more; the model's context may end it sooner
 * @param minTokens no end-of-sequence, stop id or stop string before this many tokens
 * @param stop strings that end the text; they are not part of it
 * @param stopIds token ids that end the text, beside the model's end-of-sequence ids
 * @param ignoreEos go on after end-of-sequence ids (for benchmarks)
 * @param logprobs log probabilities per token: {@link #NO_LOGPROBS}, 0 = of the chosen token, n =
 *     and the n likeliest, at most {@link #MAX_LOGPROBS}
 * @param n completions to return, 1 or more
 * @param bestOf completions to draw, of which the {@code n} with the highest mean log probability
 *     per token are returned, best first; 0 = {@code n}. With more than {@code n} nothing is
 *     streamed before all have ended
 * @param beams beams to search with; 1 = sampling. With more, {@code n} best beams are returned and
 *     sampling must be greedy
 * @param lengthPenalty beam scores are divided by length to this power
 * @param earlyStopping when a beam search ends
 * @param sampling how tokens are drawn
 * @param guide what the answer must look like
 */
public record GenerationOptions(
    int maxTokens,
    int minTokens,
    List<String> stop,
    List<Integer> stopIds,
    boolean ignoreEos,
    int logprobs,
    int n,
    int bestOf,
    int beams,
    double lengthPenalty,
    EarlyStopping earlyStopping,
    SamplingOptions sampling,
    Optional<Guide> guide) {
  /** Value of {@link #logprobs} for none. */
  public static final int NO_LOGPROBS = -1;

  /** Most alternatives per token. */
  public static final int MAX_LOGPROBS = 100;

  /** Most completions or beams of one request. */
  public static final int MAX_BRANCHES = 128;

  /** When a beam search ends; the same three rules as Hugging Face transformers. */
  public enum EarlyStopping {
    /** As soon as there are as many finished beams as beams. */
    FIRST_FINISHED,
    /** When the best running beam, at its present length, is worse than the worst finished one. */
    HEURISTIC,
    /** When no running beam can become better at any length up to the limit. */
    NEVER
  }

  private static final GenerationOptions DEFAULTS =
      new GenerationOptions(
          512,
          0,
          List.of(),
          List.of(),
          false,
          NO_LOGPROBS,
          1,
          0,
          1,
          1.0,
          EarlyStopping.HEURISTIC,
          SamplingOptions.greedy(),
          Optional.empty());

  public GenerationOptions {
    stop = List.copyOf(stop);
    stopIds = List.copyOf(stopIds);
    require(maxTokens >= 1, "maxTokens must be 1 or more, not " + maxTokens);
    require(
        minTokens >= 0 && minTokens <= maxTokens,
        "minTokens must be from 0 to maxTokens, not " + minTokens);
    require(!stop.contains(""), "a stop string must not be empty");
    require(
        logprobs >= NO_LOGPROBS && logprobs <= MAX_LOGPROBS,
        "logprobs must be from 0 to " + MAX_LOGPROBS + " (-1 = none), not " + logprobs);
    require(n >= 1 && n <= MAX_BRANCHES, "n must be from 1 to " + MAX_BRANCHES + ", not " + n);
    require(
        beams >= 1 && beams <= MAX_BRANCHES,
        "beams must be from 1 to " + MAX_BRANCHES + ", not " + beams);
    require(
        bestOf == 0 || (bestOf >= n && bestOf <= MAX_BRANCHES),
        "bestOf must be from n (%d) to %d, or 0, not %d".formatted(n, MAX_BRANCHES, bestOf));
    if (beams > 1) {
      require(bestOf == 0, "beam search takes no bestOf; it returns its n best beams");
      require(guide.isEmpty(), "beam search takes no guide; use beams 1");
      require(n <= beams, "n must be at most beams (" + beams + "), not " + n);
      require(sampling.isGreedy(), "beam search needs temperature 0");
      require(logprobs == NO_LOGPROBS, "beam search gives no logprobs; leave them out");
      require(stop.isEmpty(), "beam search knows no stop strings; use stop ids");
      require(
          !sampling.hasPenalties() && sampling.logitBias().isEmpty(),
          "beam search takes no penalties and no logit bias");
    }
  }

  private static void require(boolean holds, String message) {
    if (!holds) {
      throw new InvalidRequestException(message);
    }
  }

  /** One greedy completion of at most 512 tokens. */
  public static GenerationOptions defaults() {
    return DEFAULTS;
  }

  public boolean isBeamSearch() {
    return beams > 1;
  }

  /** Completions to draw. */
  public int branches() {
    return Math.max(n, bestOf);
  }

  /** True if more completions are drawn than returned. */
  public boolean choosesBest() {
    return bestOf > n;
  }

  public boolean wantsLogprobs() {
    return logprobs != NO_LOGPROBS;
  }

  public GenerationOptions withMaxTokens(int maxTokens) {
    Draft draft = new Draft(this);
    draft.maxTokens = maxTokens;
    return draft.done();
  }

  public GenerationOptions withMinTokens(int minTokens) {
    Draft draft = new Draft(this);
    draft.minTokens = minTokens;
    return draft.done();
  }

  public GenerationOptions withStop(String... stop) {
    Draft draft = new Draft(this);
    draft.stop = List.of(stop);
    return draft.done();
  }

  public GenerationOptions withStopIds(List<Integer> stopIds) {
    Draft draft = new Draft(this);
    draft.stopIds = stopIds;
    return draft.done();
  }

  public GenerationOptions withIgnoreEos(boolean ignoreEos) {
    Draft draft = new Draft(this);
    draft.ignoreEos = ignoreEos;
    return draft.done();
  }

  public GenerationOptions withLogprobs(int logprobs) {
    Draft draft = new Draft(this);
    draft.logprobs = logprobs;
    return draft.done();
  }

  public GenerationOptions withN(int n) {
    Draft draft = new Draft(this);
    draft.n = n;
    return draft.done();
  }

  public GenerationOptions withBestOf(int bestOf) {
    Draft draft = new Draft(this);
    draft.bestOf = bestOf;
    return draft.done();
  }

  public GenerationOptions withBeams(int beams) {
    Draft draft = new Draft(this);
    draft.beams = beams;
    return draft.done();
  }

  public GenerationOptions withLengthPenalty(double lengthPenalty) {
    Draft draft = new Draft(this);
    draft.lengthPenalty = lengthPenalty;
    return draft.done();
  }

  public GenerationOptions withEarlyStopping(EarlyStopping earlyStopping) {
    Draft draft = new Draft(this);
    draft.earlyStopping = earlyStopping;
    return draft.done();
  }

  public GenerationOptions withSampling(SamplingOptions sampling) {
    Draft draft = new Draft(this);
    draft.sampling = sampling;
    return draft.done();
  }

  public GenerationOptions withGuide(Guide guide) {
    Draft draft = new Draft(this);
    draft.guide = Optional.of(guide);
    return draft.done();
  }

  /** A copy with one field about to change. */
  private static final class Draft {
    int maxTokens;
    int minTokens;
    List<String> stop;
    List<Integer> stopIds;
    boolean ignoreEos;
    int logprobs;
    int n;
    int bestOf;
    int beams;
    double lengthPenalty;
    EarlyStopping earlyStopping;
    SamplingOptions sampling;
    Optional<Guide> guide;

    Draft(GenerationOptions from) {
      maxTokens = from.maxTokens;
      minTokens = from.minTokens;
      stop = from.stop;
      stopIds = from.stopIds;
      ignoreEos = from.ignoreEos;
      logprobs = from.logprobs;
      n = from.n;
      bestOf = from.bestOf;
      beams = from.beams;
      lengthPenalty = from.lengthPenalty;
      earlyStopping = from.earlyStopping;
      sampling = from.sampling;
      guide = from.guide;
    }

    GenerationOptions done() {
      return new GenerationOptions(
          maxTokens,
          minTokens,
          stop,
          stopIds,
          ignoreEos,
          logprobs,
          n,
          bestOf,
          beams,
          lengthPenalty,
          earlyStopping,
          sampling,
          guide);
    }
  }
}
