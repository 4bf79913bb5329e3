package org.chunkllama.sample;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.error.ModelOutputException;
import org.chunkllama.guide.GuideMatcher;
import org.jspecify.annotations.Nullable;

/**
 * Draws tokens from logits. Holds scratch space for one vocabulary; one thread at a time.
 *
 * <p>A draw walks the remaining tokens in the order of their ids, so that two runs whose logits
 * differ in the last bit draw the same token but for a chance of about that bit.
 */
public final class Sampler {
  private final Candidates candidates;
  private final float[] weights; // [vocabulary] exp((logit - max) / temperature)
  private final float[] raw; // [vocabulary] logits before penalties
  private final TopTokens top = new TopTokens(GenerationOptions.MAX_LOGPROBS);

  public Sampler(int vocabulary) {
    candidates = new Candidates(vocabulary);
    weights = new float[vocabulary];
    raw = new float[vocabulary];
  }

  /**
   * Draws the next token; does not note it in {@code state}.
   *
   * @param logits {@code [vocabulary]}, changed
   * @param guide which tokens may be drawn; null = all
   * @throws ModelOutputException if the largest logit is NaN or infinite
   */
  public int sample(float[] logits, SamplerState state, @Nullable GuideMatcher guide) {
    state.changeLogits(logits);
    if (guide != null) {
      guide.mask(logits);
    }
    int best = argmax(logits);
    float max = logits[best];
    checkFinite(max);
    SamplingOptions options = state.options();
    return options.isGreedy() ? best : draw(logits, max, options, state.uniform());
  }

  /**
   * Draws the next token and tells the log probabilities of the unchanged logits.
   *
   * @param logits {@code [vocabulary]}, changed
   * @param guide which tokens may be drawn; null = all
   * @param alternatives how many of the likeliest tokens to list, 0 to {@link
   *     GenerationOptions#MAX_LOGPROBS}
   * @throws ModelOutputException if the largest logit is NaN or infinite
   */
  public TokenLogprobs sampleWithLogprobs(
      float[] logits, SamplerState state, @Nullable GuideMatcher guide, int alternatives) {
    System.arraycopy(logits, 0, raw, 0, logits.length);
    int token = sample(logits, state, guide);
    float logSum = logSumExp(raw);
    top.select(raw, alternatives);
    List<TokenLogprobs.Candidate> listed = new ArrayList<>(top.size());
    for (int i = 0; i < top.size(); i++) {
      listed.add(new TokenLogprobs.Candidate(top.id(i), top.value(i) - logSum));
    }
    return new TokenLogprobs(token, raw[token] - logSum, listed);
  }

  /**
   * Does nothing if the largest logit, or the logarithm of the sum of all, is a number.
   *
   * @throws ModelOutputException if it is NaN or infinite
   */
  static void checkFinite(float largest) {
    if (!(Math.abs(largest) < Float.POSITIVE_INFINITY)) {
      throw new ModelOutputException(
          "the model's largest logit is %s: its file is damaged, or --precision is too small for it"
              .formatted(largest));
    }
  }

  /** Index of the largest value, the lowest among equals; NaN wins over all. */
  static int argmax(float[] values) {
    float max = Float.NEGATIVE_INFINITY;
    for (float value : values) { // the JIT turns this into vector code
      max = Math.max(max, value);
    }
    for (int i = 0; i < values.length; i++) {
      if (values[i] == max) {
        return i;
      }
    }
    for (int i = 0; i < values.length; i++) {
      if (Float.isNaN(values[i])) {
        return i;
      }
    }
    return 0;
  }

  /** log(sum(exp(values))). */
  static float logSumExp(float[] values) {
    float max = values[argmax(values)];
    double sum = 0;
    for (float value : values) {
      sum += Exp.exp(value - max);
    }
    return (float) (max + Math.log(sum));
  }

  private int draw(float[] logits, float max, SamplingOptions options, double uniform) {
    float inverse = options.inverseTemperature();
    boolean cut = options.topK() > 0 && options.topK() < logits.length;
    if (!cut && options.topP() == 1 && options.minP() == 0) {
      weigh(logits, max, inverse);
      return walk(logits.length, uniform);
    }
    float least = options.minP() == 0 ? -Float.MAX_VALUE : (float) (max + options.minPMargin());
    candidates.collect(logits, Math.min(least, max));
    if (cut) {
      candidates.keepTop(options.topK());
    }
    if (options.topP() < 1) {
      weigh(logits, max, inverse);
      candidates.keepMass(weights, options.topP());
    }
    int[] ids = candidates.sortedIds();
    int count = candidates.count();
    for (int i = 0; i < count; i++) {
      weights[i] = Exp.exp((logits[ids[i]] - max) * inverse); // i <= ids[i]: none is lost
    }
    return ids[walk(count, uniform)];
  }

  private void weigh(float[] logits, float max, float inverse) {
    for (int i = 0; i < logits.length; i++) {
      weights[i] = Exp.exp((logits[i] - max) * inverse);
    }
  }

  /** Index below {@code count} at which the running sum of weights passes the uniform number. */
  private int walk(int count, double uniform) {
    double total = 0;
    for (int i = 0; i < count; i++) {
      total += weights[i];
    }
    double target = uniform * total;
    int last = 0;
    double sum = 0;
    for (int i = 0; i < count; i++) {
      if (weights[i] > 0) {
        last = i;
        sum += weights[i];
        if (sum > target) {
          return i;
        }
      }
    }
    return last; // rounding: the sum fell short of the total
  }
}
