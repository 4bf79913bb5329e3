package org.chunkllama.cli;

import org.chunkllama.bench.AttentionWorkload.Heads;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendOptions.Precision;
import org.chunkllama.spi.Backends;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.WeightPolicy;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Backend and type of keys and values of benchmarks below the engine. */
final class BackendArguments {
  /** KV types under the names of the command line. */
  enum KvTypeName {
    FP32(DType.F32),
    BF16(DType.BF16),
    FP16(DType.F16),
    FP8(DType.F8),
    INT8(DType.I8);

    private final DType type;

    KvTypeName(DType type) {
      this.type = type;
    }
  }

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      defaultValue = "auto",
      description = "auto, cuda, cpu or reference. Default: ${DEFAULT-VALUE}.")
  private String backend = "auto";

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "Worker threads; 0 = one per core. Default: ${DEFAULT-VALUE}.")
  private int threads;

  @Option(
      names = "--kv-type",
      paramLabel = "TYPE",
      description =
          "fp32, bf16, fp16, or on cuda and reference fp8 or int8. Default: fp32; of attention tables on a GPU: fp16.")
  private @Nullable KvTypeName kvType;

  Backend open() {
    return open(Precision.AUTO);
  }

  Backend open(Precision precision) {
    return open(precision, WeightPolicy.WIDE);
  }

  Backend open(Precision precision, WeightPolicy weights) {
    return Backends.open(backend, new BackendOptions(threads, precision, weights));
  }

  DType type() {
    return typeOr(DType.F32);
  }

  /** The type that was given, else {@code other}. */
  DType typeOr(DType other) {
    return kvType == null ? other : kvType.type;
  }

  String name() {
    return backend;
  }

  int threads() {
    return threads;
  }

  /** {@code queryHeads, kvHeads, headDim, chunkTokens} as heads of the chosen type. */
  Heads heads(int queryHeads, int kvHeads, int headDim, int chunkTokens) {
    return new Heads(queryHeads, kvHeads, headDim, chunkTokens, type());
  }
}
