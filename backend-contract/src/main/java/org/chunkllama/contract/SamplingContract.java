package org.chunkllama.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.chunkllama.error.ModelOutputException;
import org.chunkllama.sample.DrawBatch;
import org.chunkllama.sample.SamplerState;
import org.chunkllama.sample.SamplingOptions;
import org.chunkllama.sample.TokenLogprobs;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.RowSampler;
import org.chunkllama.spi.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tokens and log probabilities from a backend's logits, by {@link RowSampler} where it offers one.
 * Expected tokens come from sorting in double precision; what a seed's uniform number is shows in a
 * row of equal logits.
 */
public abstract class SamplingContract extends BackendContract {
  private static final int[] NONE = {};
  private static final int EQUALS = 1 << 16; // tokens of the row that shows uniform numbers

  /** For the test of a backend. */
  protected SamplingContract() {}

  private static SamplerState state(SamplingOptions options, int seed) {
    return SamplerState.start(options.withSeed(seed), 0, NONE, NONE, 0);
  }

  private static SamplingOptions at(double temperature) {
    return SamplingOptions.temperature(temperature);
  }

  /** Tokens of {@code options} with seeds from 0 on, from row after row, all in one batch. */
  private static int[] draw(
      Backend backend, float[] logits, int rows, List<SamplingOptions> options) {
    int columns = logits.length / rows;
    try (Tensor tensor = tensor(backend, rows, columns, logits)) {
      DrawBatch batch = new DrawBatch(backend, columns);
      batch.begin(tensor, rows);
      for (int i = 0; i < options.size(); i++) {
        batch.add(i % rows, state(options.get(i), i), null, DrawBatch.UNSCORED);
      }
      batch.start();
      batch.finish();
      int[] tokens = new int[options.size()];
      for (int i = 0; i < tokens.length; i++) {
        tokens[i] = batch.token(i);
      }
      assertThat(read(tensor)).as("the logits afterwards").isEqualTo(logits);
      return tokens;
    }
  }

  private static void check(Backend backend, float[] logits, int rows, SamplingOptions... each) {
    int columns = logits.length / rows;
    List<SamplingOptions> options = new ArrayList<>();
    for (SamplingOptions one : each) {
      for (int r = 0; r < rows; r++) {
        options.add(one);
      }
    }
    int[] tokens = draw(backend, logits, rows, options);
    int[] uniform = draw(backend, new float[EQUALS], 1, options.stream().map(_ -> at(1)).toList());
    for (int i = 0; i < tokens.length; i++) {
      int row = i % rows;
      float[] values = Arrays.copyOfRange(logits, row * columns, (row + 1) * columns);
      new ExpectedDraw(values, options.get(i))
          .check(tokens[i], uniform[i] / (double) EQUALS, (uniform[i] + 1) / (double) EQUALS);
    }
  }

  private static float[] spread(int seed, int count, double deviation) {
    float[] values = Numbers.gaussian(new SplittableRandom(seed), count);
    for (int i = 0; i < count; i++) {
      values[i] *= (float) deviation;
    }
    return values;
  }

  @ParameterizedTest
  @CsvSource({
    "1,1",
    "1,2",
    "3,3",
    "64,7",
    "5,31",
    "64,1000",
    "2,4096",
    "33,4099",
    "7,32000",
    "3,50257",
    "2,128256",
    "1,262144"
  })
  void everyFilterAtEveryShape(int rows, int vocabulary) {
    for (double deviation : new double[] {0.3, 3}) {
      check(
          backend(),
          spread(vocabulary, rows * vocabulary, deviation),
          rows,
          SamplingOptions.greedy(),
          at(1),
          at(0.2),
          at(5),
          at(1).withTopK(1),
          at(1).withTopK(40),
          at(1).withTopK(3 * vocabulary / 4),
          at(0.7).withTopP(0.9),
          at(1).withTopP(0.999),
          at(1).withTopP(1e-9),
          at(1.3).withMinP(0.05),
          at(1).withMinP(1),
          at(0.7).withTopK(20).withTopP(0.8),
          at(2).withTopK(vocabulary).withTopP(0.5).withMinP(0.01));
    }
  }

  @Test
  void aPeakAndALongTail() {
    float[] logits = spread(3, 2 * 32003, 2);
    logits[17] = 30;
    logits[32003 + 32002] = 12;
    check(
        backend(),
        logits,
        2,
        at(1),
        at(3).withTopP(0.95),
        at(1).withTopP(0.5),
        at(10).withTopK(5000).withTopP(0.97));
  }

  @Test
  void equalsAreKeptByLowestId() {
    int vocabulary = 5000;
    float[] logits = Numbers.filled(2 * vocabulary, -1);
    for (int i = 0; i < vocabulary; i += 3) {
      logits[i] = 2;
    }
    for (int i = vocabulary; i < 2 * vocabulary; i++) {
      logits[i] = i % 2 == 0 ? 0f : -0f; // they are equal
    }
    check(
        backend(),
        logits,
        2,
        at(1).withTopK(1),
        at(1).withTopK(10),
        at(1).withTopK(1700),
        at(1).withTopP(0.25),
        at(1).withTopP(0.75),
        at(1).withTopK(100).withTopP(0.5));
  }

  @Test
  void maskedTokensAreNeverDrawn() {
    int vocabulary = 3001;
    float[] logits = Numbers.filled(3 * vocabulary, Float.NEGATIVE_INFINITY);
    logits[3000] = -3e38f;
    logits[vocabulary + 5] = 1;
    logits[vocabulary + 2999] = 1;
    logits[2 * vocabulary] = 0;
    check(
        backend(),
        logits,
        3,
        SamplingOptions.greedy(),
        at(1),
        at(1).withTopK(7),
        at(1).withTopP(0.9),
        at(0.01).withMinP(0.5));
  }

  @Test
  void aTinyTemperatureIsTheLikeliest() {
    float[] logits = spread(8, 4 * 1003, 1);
    int[] greedy = draw(backend(), logits, 4, Collections.nCopies(4, SamplingOptions.greedy()));
    for (double temperature : new double[] {1e-6, 1e-39, 1e-300}) {
      assertThat(draw(backend(), logits, 4, Collections.nCopies(4, at(temperature))))
          .isEqualTo(greedy);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void frequenciesAreTheProbabilities(int which) {
    SamplingOptions options =
        List.of(
                at(1),
                at(0.8).withTopP(0.9),
                at(1.5).withTopK(50),
                at(1).withTopK(200).withTopP(0.7).withMinP(0.002))
            .get(which);
    float[] logits = spread(40 + which, 500, 1.5);
    ExpectedDraw expected = new ExpectedDraw(logits, options);
    int draws = 40_000;
    int[] counts = new int[expected.size()];
    for (int token : draw(backend(), logits, 1, Collections.nCopies(draws, options))) {
      counts[expected.indexOf(token)]++;
    }
    double chi2 = 0;
    for (int i = 0; i < counts.length; i++) {
      double mean = draws * expected.probability(i);
      chi2 += (counts[i] - mean) * (counts[i] - mean) / mean;
    }
    int freedom = counts.length - 1;
    assertThat(chi2)
        .as("chi-square, %d degrees of freedom", freedom)
        .isBetween(freedom - 5 * Math.sqrt(2.0 * freedom), freedom + 5 * Math.sqrt(2.0 * freedom));
  }

  @ParameterizedTest
  @ValueSource(ints = {9, 1001, 32000})
  void biasesBansAndPenaltiesComeFirst(int vocabulary) {
    float[] logits = spread(vocabulary, vocabulary, 2);
    int[] prompt = {1, 2, 3, vocabulary - 1, 3};
    int[] banned = {0, 4};
    SamplingOptions base =
        at(1)
            .withLogitBias(Map.of(0, 50f, 2, 1.5f, 5, -3f, vocabulary, 9f))
            .withRepetitionPenalty(1.7)
            .withPresencePenalty(0.5)
            .withFrequencyPenalty(0.25);
    float[] changed = logits.clone();
    changed[2] += 1.5f;
    changed[5] -= 3;
    changed[0] = Float.NEGATIVE_INFINITY;
    changed[4] = Float.NEGATIVE_INFINITY;
    for (int id : new int[] {1, 2, 3, vocabulary - 1, 6}) {
      changed[id] = changed[id] > 0 ? changed[id] / 1.7f : changed[id] * 1.7f;
    }
    changed[6] -= 2 * 0.25f + 0.5f;
    changed[1] -= 0.25f + 0.5f;
    try (Tensor tensor = tensor(backend(), 1, vocabulary, logits)) {
      DrawBatch batch = new DrawBatch(backend(), vocabulary);
      for (SamplingOptions options :
          List.of(base, base.withTopP(0.8), base.withTopK(3), base.withTemperature(0))) {
        batch.begin(tensor, 1);
        for (int seed = 0; seed < 40; seed++) {
          SamplerState state = SamplerState.start(options.withSeed(seed), 0, prompt, banned, 10);
          state.accept(6);
          state.accept(6);
          state.accept(1);
          batch.add(0, state, null, seed % 2 == 0 ? DrawBatch.UNSCORED : 1);
        }
        batch.start();
        batch.finish();
        ExpectedDraw expected = new ExpectedDraw(changed, options);
        for (int i = 0; i < 40; i++) {
          if (i % 2 == 0) {
            expected.indexOf(batch.token(i));
          } else {
            TokenLogprobs scored = batch.scored(i);
            expected.indexOf(scored.token());
            checkLogprobs(logits, scored, 1); // of the unchanged logits
          }
        }
      }
    }
  }

  private static void checkLogprobs(float[] logits, TokenLogprobs scored, int listed) {
    double max = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    double logSum = max + Math.log(sum);
    assertThat((double) scored.logprob())
        .isCloseTo(logits[scored.token()] - logSum, within(1e-5 * (1 + Math.abs(logSum))));
    assertThat(scored.top()).hasSize(Math.min(listed, logits.length));
    boolean[] taken = new boolean[logits.length];
    for (TokenLogprobs.Candidate candidate : scored.top()) {
      int best = -1;
      for (int id = 0; id < logits.length; id++) {
        if (!taken[id] && (best < 0 || logits[id] > logits[best])) {
          best = id;
        }
      }
      taken[best] = true;
      assertThat(candidate.token()).isEqualTo(best);
      assertThat((double) candidate.logprob())
          .isCloseTo(logits[best] - logSum, within(1e-5 * (1 + Math.abs(logSum))));
    }
  }

  @ParameterizedTest
  @CsvSource({"1,1", "3,5", "64,1000", "9,50257", "2,128256"})
  void logprobsListTheLikeliest(int rows, int vocabulary) {
    float[] logits = spread(rows, rows * vocabulary, 4);
    for (int i = 0; i < vocabulary; i++) {
      logits[i] = Math.round(logits[i]); // equals in the first row
    }
    int[] sizes = {0, 1, 5, 20, 100};
    try (Tensor tensor = tensor(backend(), rows, vocabulary, logits)) {
      DrawBatch batch = new DrawBatch(backend(), vocabulary);
      batch.begin(tensor, rows);
      for (int r = 0; r < rows; r++) {
        int n = sizes[r % sizes.length];
        batch.add(r, state(r % 2 == 0 ? SamplingOptions.greedy() : at(1), r), null, n);
        batch.add(r, state(at(1).withTopP(0.5), r), null, r % 3 == 0 ? n : 3);
        batch.add(r, state(at(1), r), null, DrawBatch.UNSCORED);
      }
      batch.start();
      batch.finish();
      for (int r = 0; r < rows; r++) {
        float[] row = Arrays.copyOfRange(logits, r * vocabulary, (r + 1) * vocabulary);
        int n = sizes[r % sizes.length];
        checkLogprobs(row, batch.scored(3 * r), n);
        checkLogprobs(row, batch.scored(3 * r + 1), r % 3 == 0 ? n : 3);
        assertThat(batch.token(3 * r + 2)).isBetween(0, vocabulary - 1);
      }
    }
  }

  @Test
  void aBrokenRowIsAnErrorOfItsOwn() {
    int vocabulary = 4100;
    float[] logits = spread(1, 5 * vocabulary, 1);
    logits[vocabulary + 4099] = Float.NaN;
    logits[2 * vocabulary + 7] = Float.POSITIVE_INFINITY;
    Arrays.fill(logits, 3 * vocabulary, 4 * vocabulary, Float.NEGATIVE_INFINITY);
    try (Tensor tensor = tensor(backend(), 5, vocabulary, logits)) {
      DrawBatch batch = new DrawBatch(backend(), vocabulary);
      batch.begin(tensor, 5);
      for (int r = 0; r < 5; r++) {
        batch.add(r, state(at(1).withTopP(0.9), r), null, DrawBatch.UNSCORED);
        batch.add(r, state(at(1), r), null, 3);
      }
      batch.start();
      batch.finish();
      for (int r = 0; r < 5; r++) {
        int draw = 2 * r;
        if (r % 4 == 0) {
          assertThat(batch.token(draw)).isBetween(0, vocabulary - 1);
          assertThat(batch.scored(draw + 1).top()).hasSize(3);
        } else {
          String what = List.of("NaN", "Infinity", "-Infinity").get(r - 1);
          assertThatThrownBy(() -> batch.token(draw))
              .isInstanceOf(ModelOutputException.class)
              .hasMessageContaining("largest logit is " + what);
          assertThatThrownBy(() -> batch.scored(draw + 1))
              .isInstanceOf(ModelOutputException.class)
              .hasMessageContaining("largest logit is " + what);
        }
      }
    }
  }

  @Test
  void aRowOfNaNHasNoLikeliestToken() {
    int vocabulary = 4100;
    float[] logits = spread(1, 4 * vocabulary, 1);
    Arrays.fill(logits, vocabulary, 2 * vocabulary, Float.NaN);
    Arrays.fill(logits, 2 * vocabulary, 3 * vocabulary, Float.NEGATIVE_INFINITY);
    try (Tensor tensor = tensor(backend(), 4, vocabulary, logits)) {
      DrawBatch batch = new DrawBatch(backend(), vocabulary);
      batch.begin(tensor, 4);
      for (int r = 0; r < 4; r++) {
        batch.add(r, state(SamplingOptions.greedy(), r), null, DrawBatch.UNSCORED);
      }
      batch.start();
      batch.finish();
      assertThat(batch.token(0)).isBetween(0, vocabulary - 1);
      assertThatThrownBy(() -> batch.token(1))
          .isInstanceOf(ModelOutputException.class)
          .hasMessageContaining("largest logit is NaN");
      assertThatThrownBy(() -> batch.token(2))
          .isInstanceOf(ModelOutputException.class)
          .hasMessageContaining("largest logit is -Infinity");
      assertThat(batch.token(3)).isBetween(0, vocabulary - 1);
    }
  }

  @Test
  void aDrawDoesNotDependOnItsBatch() {
    int vocabulary = 6001;
    int rows = 150;
    float[] logits = spread(77, rows * vocabulary, 2);
    List<SamplingOptions> options = new ArrayList<>();
    for (int r = 0; r < rows; r++) {
      options.add(at(1).withTopP(r % 2 == 0 ? 0.9 : 1));
    }
    int[] together = draw(backend(), logits, rows, options);
    for (int r = 0; r < rows; r += 7) {
      float[] row = Arrays.copyOfRange(logits, r * vocabulary, (r + 1) * vocabulary);
      try (Tensor tensor = tensor(backend(), 1, vocabulary, row)) {
        DrawBatch batch = new DrawBatch(backend(), vocabulary);
        batch.begin(tensor, 1);
        batch.add(0, state(options.get(r), r), null, DrawBatch.UNSCORED);
        batch.start();
        batch.finish();
        assertThat(batch.token(0)).isEqualTo(together[r]);
      }
    }
  }
}
