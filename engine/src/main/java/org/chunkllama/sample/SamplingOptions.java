package org.chunkllama.sample;

import java.util.Map;
import java.util.OptionalLong;
import org.chunkllama.error.InvalidRequestException;

/**
 * How the next token is drawn from the logits. Applied in this order: logit bias, penalties,
 * temperature, min-p, top-k, top-p; the semantics are vLLM's and OpenAI's.
 *
 * @param temperature 0 = greedy; otherwise logits are divided by it
 * @param topK keep the k likeliest tokens; 0 = all
 * @param topP keep the smallest set of likeliest tokens with this much probability, (0, 1]
 * @param minP drop tokens less likely than this times the likeliest, [0, 1]
 * @param repetitionPenalty for tokens of prompt and output: positive logits divided, negative ones
 *     multiplied; 1 = off, above 0
 * @param presencePenalty subtracted once for each token in the output, [-2, 2]
 * @param frequencyPenalty subtracted for each time a token occurs in the output, [-2, 2]
 * @param logitBias added to single tokens' logits; usually empty
 * @param seed equal seeds give equal draws whatever else runs in the batch; empty = random
 */
public record SamplingOptions(
    double temperature,
    int topK,
    double topP,
    double minP,
    double repetitionPenalty,
    double presencePenalty,
    double frequencyPenalty,
    Map<Integer, Float> logitBias,
    OptionalLong seed) {
  private static final SamplingOptions GREEDY =
      new SamplingOptions(0, 0, 1, 0, 1, 0, 0, Map.of(), OptionalLong.empty());

  public SamplingOptions {
    require(
        temperature >= 0 && temperature <= 100, "temperature must be from 0 to 100", temperature);
    require(topK >= 0, "topK must not be negative (0 = all tokens)", topK);
    require(topP > 0 && topP <= 1, "topP must be above 0 and at most 1", topP);
    require(minP >= 0 && minP <= 1, "minP must be from 0 to 1", minP);
    require(
        repetitionPenalty > 0 && repetitionPenalty <= 100,
        "repetitionPenalty must be above 0 (1 = off)",
        repetitionPenalty);
    require(
        Math.abs(presencePenalty) <= 2, "presencePenalty must be from -2 to 2", presencePenalty);
    require(
        Math.abs(frequencyPenalty) <= 2, "frequencyPenalty must be from -2 to 2", frequencyPenalty);
    logitBias = Map.copyOf(logitBias);
  }

  private static void require(boolean holds, String rule, Number value) {
    if (!holds) {
      throw new InvalidRequestException(rule + ", not " + value);
    }
  }

  /** Always the likeliest token. */
  public static SamplingOptions greedy() {
    return GREEDY;
  }

  /** Draws at {@code temperature}, all else off; 0 is greedy. */
  public static SamplingOptions temperature(double temperature) {
    return GREEDY.withTemperature(temperature);
  }

  public boolean isGreedy() {
    return temperature == 0;
  }

  /** 1 / temperature, finite; 0 if greedy. */
  float inverseTemperature() {
    return isGreedy() ? 0 : (float) Math.min(1 / temperature, Float.MAX_VALUE);
  }

  /** How far below the largest logit min-p lets a logit be: 0 or less, minus infinity if off. */
  double minPMargin() {
    return minP == 0 ? Double.NEGATIVE_INFINITY : temperature * Math.log(minP);
  }

  /** True if a token's logit depends on the tokens before it. */
  public boolean hasPenalties() {
    return repetitionPenalty != 1 || presencePenalty != 0 || frequencyPenalty != 0;
  }

  public SamplingOptions withTemperature(double temperature) {
    Draft draft = new Draft(this);
    draft.temperature = temperature;
    return draft.done();
  }

  public SamplingOptions withTopK(int topK) {
    Draft draft = new Draft(this);
    draft.topK = topK;
    return draft.done();
  }

  public SamplingOptions withTopP(double topP) {
    Draft draft = new Draft(this);
    draft.topP = topP;
    return draft.done();
  }

  public SamplingOptions withMinP(double minP) {
    Draft draft = new Draft(this);
    draft.minP = minP;
    return draft.done();
  }

  public SamplingOptions withRepetitionPenalty(double repetitionPenalty) {
    Draft draft = new Draft(this);
    draft.repetitionPenalty = repetitionPenalty;
    return draft.done();
  }

  public SamplingOptions withPresencePenalty(double presencePenalty) {
    Draft draft = new Draft(this);
    draft.presencePenalty = presencePenalty;
    return draft.done();
  }

  public SamplingOptions withFrequencyPenalty(double frequencyPenalty) {
    Draft draft = new Draft(this);
    draft.frequencyPenalty = frequencyPenalty;
    return draft.done();
  }

  public SamplingOptions withLogitBias(Map<Integer, Float> logitBias) {
    Draft draft = new Draft(this);
    draft.logitBias = logitBias;
    return draft.done();
  }

  public SamplingOptions withSeed(long seed) {
    Draft draft = new Draft(this);
    draft.seed = OptionalLong.of(seed);
    return draft.done();
  }

  /** A copy with one field about to change. */
  private static final class Draft {
    double temperature;
    int topK;
    double topP;
    double minP;
    double repetitionPenalty;
    double presencePenalty;
    double frequencyPenalty;
    Map<Integer, Float> logitBias;
    OptionalLong seed;

    Draft(SamplingOptions from) {
      temperature = from.temperature;
      topK = from.topK;
      topP = from.topP;
      minP = from.minP;
      repetitionPenalty = from.repetitionPenalty;
      presencePenalty = from.presencePenalty;
      frequencyPenalty = from.frequencyPenalty;
      logitBias = from.logitBias;
      seed = from.seed;
    }

    SamplingOptions done() {
      return new SamplingOptions(
          temperature,
          topK,
          topP,
          minP,
          repetitionPenalty,
          presencePenalty,
          frequencyPenalty,
          logitBias,
          seed);
    }
  }
}
