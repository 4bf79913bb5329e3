package org.chunkllama.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.chunkllama.sample.DrawBatch;
import org.chunkllama.sample.Sampler;
import org.chunkllama.sample.SamplerState;
import org.chunkllama.sample.SamplingOptions;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.Tensor;

/**
 * The draws of one step: all rows together as the engine does it, on the device where the backend
 * can, against reading each row and drawing on the host.
 */
public final class SamplingBench {
  private static final int OUTPUT_TOKENS = 500; // what penalties count
  private static final int TENSORS_BYTES = 200 << 20; // more than a GPU's cache

  private static final int DIFFERENT_ROWS = 8; // making them takes long
  private static final long WARM_UP_NANOS = 200_000_000L;
  private static final long ROUNDS_NANOS = 500_000_000L;

  private final Backend backend;
  private final int rounds;

  /**
   * How tokens are drawn.
   *
   * @param name for the table
   * @param options of every row
   * @param listed likeliest tokens with log probabilities, {@link DrawBatch#UNSCORED} = none
   */
  public record Way(String name, SamplingOptions options, int listed) {}

  /**
   * What came out.
   *
   * @param deviceMicros of a step's draws as the engine does them, median
   * @param hostMicros row by row on the host, median
   */
  public record Result(double deviceMicros, double hostMicros) {}

  /** Measures on {@code backend}, medians of {@code rounds} at most. */
  public SamplingBench(Backend backend, int rounds) {
    this.backend = backend;
    this.rounds = rounds;
  }

  /** Common ways to draw. */
  public static List<Way> ways() {
    SamplingOptions one = SamplingOptions.temperature(1);
    SamplingOptions usual = SamplingOptions.temperature(0.7);
    return List.of(
        new Way("greedy", SamplingOptions.greedy(), DrawBatch.UNSCORED),
        new Way("temperature 1", one, DrawBatch.UNSCORED),
        new Way("top-p 0.9", usual.withTopP(0.9), DrawBatch.UNSCORED),
        new Way("top-k 20, top-p 0.8", usual.withTopK(20).withTopP(0.8), DrawBatch.UNSCORED),
        new Way("min-p 0.05", one.withMinP(0.05), DrawBatch.UNSCORED),
        new Way(
            "penalties, top-p 0.9",
            usual.withTopP(0.9).withRepetitionPenalty(1.1).withPresencePenalty(0.5),
            DrawBatch.UNSCORED),
        new Way("greedy, 5 logprobs", SamplingOptions.greedy(), 5),
        new Way("top-p 0.9, 20 logprobs", usual.withTopP(0.9), 20));
  }

  /** Measures {@code rows} rows of {@code vocabulary} logits. */
  public Result measure(int rows, int vocabulary, Way way) {
    int count = Math.clamp(TENSORS_BYTES / (4L * rows * vocabulary), 1, 8);
    List<Tensor> logits = new ArrayList<>();
    SamplerState[] states = states(rows, vocabulary, way);
    try {
      for (int i = 0; i < count; i++) {
        logits.add(logits(i, rows, vocabulary));
      }
      DrawBatch batch = new DrawBatch(backend, vocabulary);
      double device = median(i -> device(batch, logits.get(i % count), states, way));
      Sampler sampler = new Sampler(vocabulary);
      float[] row = new float[vocabulary];
      double host = median(i -> host(sampler, row, logits.get(i % count), states, way));
      return new Result(device, host);
    } finally {
      logits.forEach(Tensor::close);
    }
  }

  private static SamplerState[] states(int rows, int vocabulary, Way way) {
    SplittableRandom random = new SplittableRandom(5);
    SamplerState[] states = new SamplerState[rows];
    for (int r = 0; r < rows; r++) {
      states[r] = SamplerState.start(way.options().withSeed(r), 0, new int[0], new int[0], 0);
      for (int i = 0; i < OUTPUT_TOKENS; i++) {
        states[r].accept(random.nextInt(vocabulary));
      }
    }
    return states;
  }

  /** Most tokens unlikely, a few likely ones, as a model's. */
  private Tensor logits(int seed, int rows, int vocabulary) {
    SplittableRandom random = new SplittableRandom(seed);
    Tensor tensor = backend.tensor(rows, vocabulary);
    float[][] different = new float[Math.min(rows, DIFFERENT_ROWS)][vocabulary];
    for (float[] row : different) {
      for (int i = 0; i < vocabulary; i++) {
        row[i] = (float) (2.5 * random.nextGaussian());
      }
      for (int i = 0; i < 30; i++) {
        row[random.nextInt(vocabulary)] = (float) (12 + 2 * random.nextGaussian());
      }
    }
    for (int r = 0; r < rows; r++) {
      tensor.write(r, different[r % different.length], 0);
    }
    return tensor;
  }

  private interface Step {
    long run(int i);
  }

  /** Fewer rounds of steps that take long, but three. */
  private double median(Step step) {
    long until = System.nanoTime() + WARM_UP_NANOS; // JIT, and the clock of a GPU
    for (int i = 0; i < 2 || System.nanoTime() < until; i++) {
      step.run(i);
    }
    double[] micros = new double[rounds];
    int count = 0;
    long end = System.nanoTime() + ROUNDS_NANOS;
    for (; count < rounds && (count < 3 || System.nanoTime() < end); count++) {
      long start = System.nanoTime();
      step.run(count);
      micros[count] = (System.nanoTime() - start) / 1e3;
    }
    Arrays.sort(micros, 0, count);
    return micros[count / 2];
  }

  private static long device(DrawBatch batch, Tensor logits, SamplerState[] states, Way way) {
    batch.begin(logits, states.length);
    for (int r = 0; r < states.length; r++) {
      batch.add(r, states[r], null, way.listed());
    }
    batch.start();
    batch.finish();
    long sum = 0;
    for (int r = 0; r < states.length; r++) {
      sum += way.listed() < 0 ? batch.token(r) : batch.scored(r).token();
    }
    return sum;
  }

  private static long host(
      Sampler sampler, float[] row, Tensor logits, SamplerState[] states, Way way) {
    long sum = 0;
    for (int r = 0; r < states.length; r++) {
      logits.read(r, row, 0);
      sum +=
          way.listed() < 0
              ? sampler.sample(row, states[r], null)
              : sampler.sampleWithLogprobs(row, states[r], null, way.listed()).token();
    }
    return sum;
  }
}
