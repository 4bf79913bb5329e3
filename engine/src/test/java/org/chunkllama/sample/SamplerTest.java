package org.chunkllama.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import java.util.Random;
import org.chunkllama.error.ModelOutputException;
import org.junit.jupiter.api.Test;

class SamplerTest {
  private static final int[] NONE = {};
  private static final float[] LOGITS = {1f, 3f, 2f, -1f, 2.5f, 0f};

  private final Sampler sampler = new Sampler(6);

  private static SamplerState state(SamplingOptions options, int... prompt) {
    return SamplerState.start(options, 0, prompt, NONE, 0);
  }

  private int[] histogram(SamplingOptions options, int draws) {
    int[] counts = new int[6];
    for (int i = 0; i < draws; i++) {
      counts[sampler.sample(LOGITS.clone(), state(options.withSeed(i)), null)]++;
    }
    return counts;
  }

  private static double[] softmax(double temperature, int... ids) {
    double[] p = new double[6];
    double sum = 0;
    for (int id : ids) {
      p[id] = Math.exp(LOGITS[id] / temperature);
      sum += p[id];
    }
    for (int id : ids) {
      p[id] /= sum;
    }
    return p;
  }

  private void assertDistribution(SamplingOptions options, double[] expected) {
    int draws = 40_000;
    int[] counts = histogram(options, draws);
    for (int id = 0; id < 6; id++) {
      double sigma = Math.sqrt(expected[id] * (1 - expected[id]) / draws);
      assertThat(counts[id] / (double) draws)
          .as("token " + id)
          .isCloseTo(expected[id], within(5 * sigma));
    }
  }

  @Test
  void greedyTakesTheLargest() {
    assertThat(sampler.sample(LOGITS.clone(), state(SamplingOptions.greedy()), null)).isEqualTo(1);
    float[] tied = {0, 5, 1, 5, 5, 2};
    assertThat(sampler.sample(tied, state(SamplingOptions.greedy()), null)).isEqualTo(1);
  }

  @Test
  void temperatureGivesTheSoftmax() {
    assertDistribution(SamplingOptions.temperature(1), softmax(1, 0, 1, 2, 3, 4, 5));
    assertDistribution(SamplingOptions.temperature(0.5), softmax(0.5, 0, 1, 2, 3, 4, 5));
    assertDistribution(SamplingOptions.temperature(3), softmax(3, 0, 1, 2, 3, 4, 5));
  }

  @Test
  void topKKeepsTheLikeliest() {
    assertDistribution(SamplingOptions.temperature(1).withTopK(2), softmax(1, 1, 4));
    assertDistribution(SamplingOptions.temperature(2).withTopK(6), softmax(2, 0, 1, 2, 3, 4, 5));
  }

  @Test
  void topPKeepsTheSmallestSetThatReachesIt() {
    // probabilities 0.459, 0.278, 0.169, ...: two reach 0.737, three 0.906
    assertDistribution(SamplingOptions.temperature(1).withTopP(0.73), softmax(1, 1, 4));
    assertDistribution(SamplingOptions.temperature(1).withTopP(0.8), softmax(1, 1, 4, 2));
    assertDistribution(SamplingOptions.temperature(1).withTopP(0.01), softmax(1, 1));
  }

  @Test
  void minPDropsWhatIsFarBelowTheLikeliest() {
    // relative to token 1: token 4 has e^-0.5 = 0.61, token 2 e^-1 = 0.37, token 0 e^-2 = 0.14
    assertDistribution(SamplingOptions.temperature(1).withMinP(0.3), softmax(1, 1, 4, 2));
    assertDistribution(SamplingOptions.temperature(2).withMinP(0.3), softmax(2, 0, 1, 2, 4));
    assertDistribution(SamplingOptions.temperature(1).withMinP(1), softmax(1, 1));
  }

  @Test
  void topPCountsWithinTopK() {
    // of the two kept by top-k the first has 0.62
    assertDistribution(SamplingOptions.temperature(1).withTopK(2).withTopP(0.6), softmax(1, 1));
    assertDistribution(SamplingOptions.temperature(1).withTopK(2).withTopP(0.7), softmax(1, 1, 4));
  }

  @Test
  void penaltiesAreVllms() {
    SamplingOptions options =
        SamplingOptions.greedy()
            .withRepetitionPenalty(2)
            .withPresencePenalty(0.25)
            .withFrequencyPenalty(0.5);
    SamplerState state = state(options, 1, 3);
    state.accept(4);
    state.accept(4);
    state.accept(5);
    float[] logits = LOGITS.clone();
    state.changeLogits(logits);
    // prompt only: repetition; output: repetition, then frequency per occurrence and presence once
    assertThat(logits)
        .containsExactly(1f, 1.5f, 2f, -2f, 2.5f / 2 - 2 * 0.5f - 0.25f, 0f - 0.5f - 0.25f);
  }

  @Test
  void penaltyCountsSurviveManyTokens() {
    SamplerState state = state(SamplingOptions.greedy().withFrequencyPenalty(1));
    int[] expected = new int[5000];
    Random random = new Random(3);
    for (int i = 0; i < 20_000; i++) {
      int token = random.nextInt(5000);
      expected[token]++;
      state.accept(token);
    }
    float[] logits = new float[5000];
    state.changeLogits(logits);
    for (int i = 0; i < logits.length; i++) {
      assertThat(logits[i]).isEqualTo(-(float) expected[i]);
    }
  }

  @Test
  void biasAndBans() {
    SamplingOptions options = SamplingOptions.greedy().withLogitBias(Map.of(3, 100f, 99, 5f));
    assertThat(sampler.sample(LOGITS.clone(), state(options), null)).isEqualTo(3);
    SamplerState banned =
        SamplerState.start(SamplingOptions.greedy(), 0, NONE, new int[] {1, 4}, 1);
    assertThat(banned.isPlainArgmax()).isFalse();
    assertThat(sampler.sample(LOGITS.clone(), banned, null)).isEqualTo(2);
    banned.accept(2);
    assertThat(banned.isPlainArgmax()).isTrue();
    assertThat(sampler.sample(LOGITS.clone(), banned, null)).isEqualTo(1);
  }

  @Test
  void logprobsAreOfTheUnchangedLogits() {
    SamplingOptions options = SamplingOptions.greedy().withLogitBias(Map.of(0, 9f));
    TokenLogprobs got = sampler.sampleWithLogprobs(LOGITS.clone(), state(options), null, 2);
    double sum = 0;
    for (float logit : LOGITS) {
      sum += Math.exp(logit);
    }
    assertThat(got.token()).isZero();
    assertThat(got.logprob()).isCloseTo((float) (1 - Math.log(sum)), within(1e-6f));
    assertThat(got.top()).extracting(TokenLogprobs.Candidate::token).containsExactly(1, 4);
    assertThat(got.top().getFirst().logprob())
        .isCloseTo((float) (3 - Math.log(sum)), within(1e-6f));
  }

  @Test
  void equalSeedsDrawEqually() {
    Random random = new Random(1);
    SamplerState a = state(SamplingOptions.temperature(1).withSeed(42));
    SamplerState b = state(SamplingOptions.temperature(1).withSeed(42));
    SamplerState other =
        SamplerState.start(SamplingOptions.temperature(1).withSeed(42), 1, NONE, NONE, 0);
    int differing = 0;
    for (int i = 0; i < 200; i++) {
      float[] logits = new float[6];
      for (int k = 0; k < 6; k++) {
        logits[k] = random.nextFloat();
      }
      int drawn = sampler.sample(logits.clone(), a, null);
      assertThat(sampler.sample(logits.clone(), b, null)).isEqualTo(drawn);
      differing += sampler.sample(logits.clone(), other, null) == drawn ? 0 : 1;
      a.accept(drawn);
      b.accept(drawn);
      other.accept(drawn);
    }
    assertThat(differing).isGreaterThan(100); // another completion draws its own numbers
  }

  @Test
  void uniformNumbersFillTheUnitInterval() {
    SamplerState state = state(SamplingOptions.temperature(1).withSeed(0));
    int[] bins = new int[10];
    for (int i = 0; i < 10_000; i++) {
      bins[(int) (10 * state.uniform())]++;
      state.accept(0);
    }
    for (int bin : bins) {
      assertThat(bin).isBetween(850, 1150);
    }
  }

  @Test
  void brokenLogitsAreAnError() {
    float[] nan = LOGITS.clone();
    nan[2] = Float.NaN;
    assertThatThrownBy(() -> sampler.sample(nan, state(SamplingOptions.greedy()), null))
        .isInstanceOf(ModelOutputException.class)
        .hasMessageContaining("NaN");
  }

  @Test
  void topTokensAreThoseOfASort() {
    Random random = new Random(5);
    TopTokens top = new TopTokens(20);
    for (int round = 0; round < 200; round++) {
      float[] values = new float[1 + random.nextInt(60)];
      for (int i = 0; i < values.length; i++) {
        values[i] = random.nextInt(12);
      }
      int n = random.nextInt(21);
      top.select(values, n);
      assertThat(top.size()).isEqualTo(Math.min(n, values.length));
      boolean[] taken = new boolean[values.length];
      for (int i = 0; i < top.size(); i++) {
        int best = -1;
        for (int k = 0; k < values.length; k++) {
          if (!taken[k] && (best < 0 || values[k] > values[best])) {
            best = k;
          }
        }
        taken[best] = true;
        assertThat(top.id(i)).isEqualTo(best);
        assertThat(top.value(i)).isEqualTo(values[best]);
      }
    }
  }
}
