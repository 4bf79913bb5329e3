package org.chunkllama.cli;

import org.chunkllama.LlmOptions;
import org.chunkllama.LlmOptions.KvType;
import org.chunkllama.LlmOptions.LoadFormat;
import org.chunkllama.LlmOptions.Tuning;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendOptions.Precision;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.WeightPolicy;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which model, and how it runs: the same options on every command that loads one. */
final class ModelOptions {
  static final String DEFAULT_MODEL = "smollm2-135m";
  private static final LlmOptions DEFAULTS = LlmOptions.defaults();

  /** The KV type under the names of the command line. */
  enum KvTypeName {
    AUTO(KvType.AUTO),
    FP32(KvType.F32),
    BF16(KvType.BF16),
    FP16(KvType.F16),
    FP8(KvType.F8),
    INT8(KvType.I8);

    private final KvType type;

    KvTypeName(KvType type) {
      this.type = type;
    }

    @Override
    public String toString() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  @Spec(Spec.Target.MIXEE)
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "MODEL",
      defaultValue = DEFAULT_MODEL,
      description =
          "GGUF file, Hugging Face folder, hf:org/name[@revision] or a name of 'chunkllama pull"
              + " --list'. Default: ${DEFAULT-VALUE}.")
  private String model = DEFAULT_MODEL;

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
      names = "--precision",
      paramLabel = "TYPE",
      defaultValue = "auto",
      description =
          "Of matrix products: auto, fp32, bf16 or fp16 (cuda). Default: ${DEFAULT-VALUE}.")
  private Precision precision = Precision.AUTO;

  @Option(
      names = "--weights",
      paramLabel = "KIND",
      defaultValue = "auto",
      description = {
        "On a GPU: quantised keeps quantised weights as they are (less memory, faster for few",
        "sequences, slower for many and for prompts), wide makes them 16 bits, auto keeps Q4 with",
        "--max-sequences up to 32, others with up to 16. Default: ${DEFAULT-VALUE}."
      })
  private WeightPolicy.Kind weights = WeightPolicy.Kind.AUTO;

  @Option(
      names = "--load-format",
      paramLabel = "FORMAT",
      defaultValue = "auto",
      description = {
        "auto, or dummy: random weights instead of the model's, to measure speed. Of a folder",
        "config.json is enough then; without a tokenizer prompts must be token ids.",
        "Default: ${DEFAULT-VALUE}."
      })
  private LoadFormat loadFormat = LoadFormat.AUTO;

  @Option(
      names = "--kv-type",
      paramLabel = "TYPE",
      defaultValue = "auto",
      description =
          "Of stored keys and values: auto, fp32, bf16, fp16, or on a GPU fp8 or int8 (half of bf16's"
              + " memory). Default: ${DEFAULT-VALUE}.")
  private KvTypeName kvType = KvTypeName.AUTO;

  @Option(
      names = "--kv-memory",
      paramLabel = "SIZE",
      defaultValue = "0",
      converter = Sizes.Converter.class,
      description = "Memory for keys and values, such as 2g. Default: a share of what is free.")
  private long kvMemory;

  @Option(
      names = "--chunk-size",
      paramLabel = "N",
      defaultValue = "64",
      description = "Tokens per chunk, a multiple of 16 up to 128. Default: ${DEFAULT-VALUE}.")
  private int chunkSize = DEFAULTS.chunkTokens();

  @Option(
      names = "--context",
      paramLabel = "N",
      defaultValue = "0",
      description = "Longest prompt and answer together, in tokens. Default: the model's.")
  private int context;

  @Option(
      names = "--max-batch-tokens",
      paramLabel = "N",
      defaultValue = "512",
      description = "Most prompt tokens computed in one step. Default: ${DEFAULT-VALUE}.")
  private int maxBatchTokens = DEFAULTS.stepTokens();

  @Option(
      names = "--max-sequences",
      paramLabel = "N",
      defaultValue = "256",
      description = "Most sequences that run at once. Default: ${DEFAULT-VALUE}.")
  private int maxSequences = DEFAULTS.maxSequences();

  @Option(
      names = "--tuning",
      paramLabel = "WHEN",
      defaultValue = "auto",
      description = {
        "Measure attention on a GPU for up to 3 seconds and keep what is fastest: auto, once where",
        "nothing is known of its kind; measure, once even where a table is built in; off, never.",
        "'chunkllama tune' takes longer and says more. Default: ${DEFAULT-VALUE}."
      })
  private Tuning tuning = Tuning.AUTO;

  @Option(
      names = "--no-prefix-sharing",
      description = "Keep every prompt's keys and values apart, to compare.")
  private boolean noPrefixSharing;

  @Option(
      names = "--sequence-first-only",
      description = "Share memory, but let each sequence read shared chunks by itself, to compare.")
  private boolean sequenceFirstOnly;

  /** As given: a path, hf:..., or a catalogue name. */
  String model() {
    return model;
  }

  /** Why the pool has its size. */
  String poolReason() {
    return kvMemory > 0
        ? "as large as --kv-memory says (%s)".formatted(Sizes.format(kvMemory))
        : "for 64 prompts of full length, or a quarter of the free memory; --kv-memory sets it";
  }

  /**
   * The same options as the library takes them.
   *
   * @throws ParameterException if one is out of range
   */
  LlmOptions llmOptions() {
    try {
      return toLibrary();
    } catch (InvalidRequestException | IllegalArgumentException e) {
      throw new ParameterException(
          spec.commandLine(), OptionNames.in(String.valueOf(e.getMessage())), e);
    }
  }

  private LlmOptions toLibrary() {
    return DEFAULTS
        .withBackend(backend)
        .withBackendOptions(
            new BackendOptions(
                threads, precision, new WeightPolicy(weights, maxSequences, DType.Q8_0)))
        .withKvType(kvType.type)
        .withPoolBytes(kvMemory)
        .withChunkTokens(chunkSize)
        .withContext(context)
        .withStepTokens(maxBatchTokens)
        .withMaxSequences(maxSequences)
        .withPrefixSharing(!noPrefixSharing)
        .withChunkFirst(!sequenceFirstOnly)
        .withLoadFormat(loadFormat)
        .withTuning(tuning);
  }
}
