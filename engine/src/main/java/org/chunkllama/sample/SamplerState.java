package org.chunkllama.sample;

import java.util.concurrent.ThreadLocalRandom;
import org.chunkllama.spi.RowDraws;
import org.jspecify.annotations.Nullable;

/**
 * What sampling remembers of one completion: its options, seed, the tokens so far. Survives
 * preemption: it depends on no other sequence and on no position in a batch.
 */
public final class SamplerState {
  private final SamplingOptions options;
  private final long seed;
  private final int index;
  private final int[] bannedIds;
  private final int bannedUntil;
  private final @Nullable TokenCounts counts;
  private int generated;

  private SamplerState(
      SamplingOptions options,
      long seed,
      int index,
      int[] bannedIds,
      int bannedUntil,
      @Nullable TokenCounts counts) {
    this.options = options;
    this.seed = seed;
    this.index = index;
    this.bannedIds = bannedIds;
    this.bannedUntil = bannedUntil;
    this.counts = counts;
  }

  /**
   * State before the first token.
   *
   * @param options how to draw; an absent seed is chosen now
   * @param index which completion of its request: each draws its own numbers
   * @param prompt what the repetition penalty counts from the start
   * @param bannedIds ids that must not be drawn among the first {@code bannedUntil} tokens
   */
  public static SamplerState start(
      SamplingOptions options, int index, int[] prompt, int[] bannedIds, int bannedUntil) {
    @Nullable TokenCounts counts = null;
    if (options.hasPenalties()) {
      counts = new TokenCounts();
      for (int token : prompt) {
        counts.add(token, 0);
      }
    }
    long seed = options.seed().orElseGet(() -> ThreadLocalRandom.current().nextLong());
    return new SamplerState(options, seed, index, bannedIds, bannedUntil, counts);
  }

  public SamplingOptions options() {
    return options;
  }

  /** Tokens accepted so far. */
  public int generated() {
    return generated;
  }

  /** True if the likeliest token by the model's own logits is the answer: no need to read them. */
  public boolean isPlainArgmax() {
    return options.isGreedy() && counts == null && options.logitBias().isEmpty() && !bansNow();
  }

  /** Notes the token that was drawn. */
  public void accept(int token) {
    generated++;
    if (counts != null) {
      counts.add(token, 1);
    }
  }

  boolean changesLogits() {
    return counts != null || !options.logitBias().isEmpty() || bansNow();
  }

  private boolean bansNow() {
    return generated < bannedUntil && bannedIds.length > 0;
  }

  /** Logit bias, bans and penalties, in place. */
  void changeLogits(float[] logits) {
    options.logitBias().forEach((token, bias) -> addBias(logits, token, bias));
    if (bansNow()) {
      for (int id : bannedIds) {
        logits[id] = Float.NEGATIVE_INFINITY;
      }
    }
    if (counts != null) {
      penalise(logits, counts);
    }
  }

  private static void addBias(float[] logits, int token, float bias) {
    if (token >= 0 && token < logits.length) {
      logits[token] += bias;
    }
  }

  private void penalise(float[] logits, TokenCounts counts) {
    float repetition = (float) options.repetitionPenalty();
    float presence = (float) options.presencePenalty();
    float frequency = (float) options.frequencyPenalty();
    for (int i = 0; i < counts.size(); i++) {
      int token = counts.token(i);
      int count = counts.count(i);
      float logit = logits[token];
      logit = logit > 0 ? logit / repetition : logit * repetition;
      if (count > 0) {
        logit -= frequency * count + presence;
      }
      logits[token] = logit;
    }
  }

  /** Describes the next draw to a backend: fills the last one that was added. */
  void describe(RowDraws draws) {
    int i = draws.count - 1;
    draws.inverse[i] = options.inverseTemperature();
    draws.topK[i] = options.topK();
    draws.topP[i] = options.topP();
    draws.margin[i] = options.minPMargin();
    draws.uniform[i] = uniform();
    options.logitBias().forEach((token, bias) -> describeBias(draws, token, bias));
    if (bansNow()) {
      for (int id : bannedIds) {
        draws.ban(id);
      }
    }
    if (counts != null) {
      draws.repetition[i] = (float) options.repetitionPenalty();
      draws.presence[i] = (float) options.presencePenalty();
      draws.frequency[i] = (float) options.frequencyPenalty();
      for (int k = 0; k < counts.size(); k++) {
        draws.penalise(counts.token(k), counts.count(k));
      }
    }
  }

  private static void describeBias(RowDraws draws, int token, float bias) {
    if (token >= 0 && token < draws.vocabulary()) {
      draws.bias(token, bias);
    }
  }

  /**
   * The next uniform number in [0, 1): a function of seed, completion and token count alone
   * (SplitMix64's finaliser over a counter).
   */
  double uniform() {
    long z = seed + 0x9E3779B97F4A7C15L * (generated + 1L) + 0xD1B54A32D192ED03L * index;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    z ^= z >>> 31;
    return (z >>> 11) * 0x1.0p-53;
  }
}
