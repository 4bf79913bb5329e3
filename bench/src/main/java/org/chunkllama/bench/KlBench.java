package org.chunkllama.bench;

import java.util.stream.IntStream;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.files.ModelFile;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendOptions.Precision;
import org.chunkllama.spi.DType;

/**
 * How far a precision's distributions are from fp32's, or those over a cached prefix from those
 * that compute it anew: mean Kullback-Leibler divergence over the positions of a text, in nats.
 */
public final class KlBench {
  private static final int SLICE = 64;

  private final ModelFile file;
  private final String backend;
  private final int threads;

  /**
   * What is compared.
   *
   * @param precision of the matrix products
   * @param kvType of keys and values
   */
  public record Variant(Precision precision, DType kvType) {
    /** The measure of all others. */
    public static final Variant FP32 = new Variant(Precision.FP32, DType.F32);
  }

  /**
   * What came of a comparison.
   *
   * @param positions compared
   * @param meanKl nats
   * @param maxKl nats
   * @param sameTop share of positions with the same likeliest token, 0 to 1
   */
  public record Result(int positions, double meanKl, double maxKl, double sameTop) {}

  /** Compares runs of the model in {@code file} on a backend. */
  public KlBench(ModelFile file, String backend, int threads) {
    this.file = file;
    this.backend = backend;
    this.threads = threads;
  }

  /** KL(fp32 || variant) over all positions of {@code tokens}. */
  public Result precision(int[] tokens, Variant variant) {
    try (ForwardRun exact = open(Variant.FP32, tokens.length);
        ForwardRun other = open(variant, tokens.length)) {
      return compare(exact, other, tokens, 0);
    }
  }

  /**
   * KL(recomputed || cached) over the second half of {@code tokens}: the first half's keys and
   * values are computed in slices of a prompt, or come from a cache that was filled token by token,
   * as another answer would have left it.
   */
  public Result cached(int[] tokens, Variant variant) {
    int half = tokens.length / 2;
    try (ForwardRun recomputed = open(variant, tokens.length);
        ForwardRun cached = open(variant, tokens.length)) {
      recomputed.skip(tokens, 0, half, SLICE);
      cached.skip(tokens, 0, half, 1);
      return compare(recomputed, cached, tokens, half);
    }
  }

  private ForwardRun open(Variant variant, int positions) {
    if (positions < 2) {
      throw new InvalidRequestException("the text has less than two tokens; give a longer one");
    }
    BackendOptions options = new BackendOptions(threads, variant.precision());
    return new ForwardRun(file, backend, options, variant.kvType(), positions, SLICE);
  }

  private static Result compare(ForwardRun first, ForwardRun second, int[] tokens, int from) {
    double sum = 0;
    double max = 0;
    int same = 0;
    for (int at = from; at < tokens.length; at += SLICE) {
      int count = Math.min(SLICE, tokens.length - at);
      float[][] p = first.logits(tokens, at, count);
      float[][] q = second.logits(tokens, at, count);
      for (int i = 0; i < count; i++) {
        double kl = kl(p[i], q[i]);
        sum += kl;
        max = Math.max(max, kl);
        same += top(p[i]) == top(q[i]) ? 1 : 0;
      }
    }
    int positions = tokens.length - from;
    return new Result(positions, sum / positions, max, (double) same / positions);
  }

  /** KL(softmax(p) || softmax(q)); rounding cannot make it negative. */
  static double kl(float[] p, float[] q) {
    double pTotal = logSumExp(p);
    double qTotal = logSumExp(q);
    double sum = 0;
    for (int i = 0; i < p.length; i++) {
      double logP = p[i] - pTotal;
      sum += Math.exp(logP) * (logP - (q[i] - qTotal));
    }
    return Math.max(0, sum);
  }

  private static double logSumExp(float[] values) {
    float max = values[top(values)];
    double sum = 0;
    for (float value : values) {
      sum += Math.exp(value - max);
    }
    return max + Math.log(sum);
  }

  private static int top(float[] values) {
    return IntStream.range(1, values.length).reduce(0, (a, b) -> values[b] > values[a] ? b : a);
  }
}
