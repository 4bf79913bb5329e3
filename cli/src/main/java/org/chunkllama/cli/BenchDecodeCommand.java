package org.chunkllama.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.chunkllama.bench.DecodeBench;
import org.chunkllama.bench.DecodeBench.Result;
import org.chunkllama.bench.DecodeBench.Workload;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions.Precision;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.WeightPolicy;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench decode}: a whole model's decode step with random weights. */
@Command(
    name = "decode",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    abbreviateSynopsis = true,
    description = {
      "Decode steps of a model of known shape with random weights, behind a common prefix.",
      "With sharing and, to compare, with a copy of the prefix for each sequence."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  chunkllama bench decode --backend cuda --kv-type bf16",
      "  chunkllama bench decode --shape llama-3.1-8b --batch 64 --precision fp16 --json",
      "  chunkllama bench decode --backend cuda --batch 1 --weights quantised --weight-format q4_k",
      "  chunkllama bench decode --model FOLDER --batch 8 --shared 512"
    })
final class BenchDecodeCommand implements Callable<Integer> {
  private final Context context;

  @Mixin private final ShapeOption shape = new ShapeOption();

  @Option(
      names = {"-m", "--model"},
      paramLabel = "MODEL",
      description =
          "Shape of this model instead: a folder with config.json is enough. Weights are random all"
              + " the same.")
  private @Nullable String model;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "32",
      description = "Sequences. Default: ${DEFAULT-VALUE}.")
  private int batch = 32;

  @Option(
      names = "--shared",
      paramLabel = "N",
      defaultValue = "2048",
      description = "Tokens of the common prefix. Default: ${DEFAULT-VALUE}.")
  private int shared = 2048;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "256",
      description = "Tokens that each sequence decodes. Default: ${DEFAULT-VALUE}.")
  private int steps = 256;

  @Option(
      names = "--chunk-size",
      paramLabel = "N",
      defaultValue = "64",
      description = "Tokens per chunk. Default: ${DEFAULT-VALUE}.")
  private int chunkTokens = 64;

  @Option(
      names = "--max-batch-tokens",
      paramLabel = "N",
      defaultValue = "2048",
      description = "Prompt tokens computed in one step. Default: ${DEFAULT-VALUE}.")
  private int sliceTokens = 2048;

  @Option(
      names = "--precision",
      paramLabel = "TYPE",
      defaultValue = "auto",
      description =
          "Of matrix products: auto, fp32, bf16 or fp16 (cuda). Default: ${DEFAULT-VALUE}.")
  private Precision precision = Precision.AUTO;

  /** Quantised types under the names of the command line. */
  enum FormatName {
    Q8_0,
    Q4_0,
    Q4_1,
    Q4_K,
    Q5_K,
    Q6_K
  }

  @Option(
      names = "--weights",
      paramLabel = "KIND",
      defaultValue = "wide",
      description =
          "quantised: keep them as --weight-format says (cuda), wide: 16 bits, auto: what is faster"
              + " for the batch. Default: ${DEFAULT-VALUE}.")
  private WeightPolicy.Kind weights = WeightPolicy.Kind.WIDE;

  @Option(
      names = "--weight-format",
      paramLabel = "TYPE",
      defaultValue = "q8_0",
      description =
          "Of quantised weights: q8_0, q4_0, q4_1, q4_k, q5_k or q6_k. Default: ${DEFAULT-VALUE}.")
  private FormatName format = FormatName.Q8_0;

  @Option(names = "--sharing-only", description = "Leave the comparison without sharing out.")
  private boolean sharingOnly;

  @Option(
      names = "--plan-late",
      description = "Plan a step only when the tokens of the one before are there, to compare.")
  private boolean planLate;

  @Mixin private final JsonLines json = new JsonLines();

  @Mixin private final BackendArguments backendArguments = new BackendArguments();

  BenchDecodeCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    check();
    ModelConfig config = shape.config(model, context.progress());
    Table table =
        new Table(
            "case",
            "step",
            "best step",
            "planning",
            "to launch",
            "GPU idle",
            "tokens/s",
            "prefill tokens/s",
            "KV");
    for (boolean sharing : sharingOnly ? List.of(true) : List.of(true, false)) {
      Workload workload =
          new Workload(
              config, batch, shared, steps, chunkTokens, kvType(), sharing, sliceTokens, !planLate);
      WeightPolicy policy = new WeightPolicy(weights, batch, DType.valueOf(format.name()));
      try (Backend backend = backendArguments.open(precision, policy);
          DecodeBench bench = new DecodeBench(backend, workload)) {
        report(table, sharing ? "shared" : "not shared", bench.run());
      }
    }
    if (!json.wanted()) {
      context.console().out().print(table.text());
    }
    return 0;
  }

  private DType kvType() {
    return backendArguments.typeOr(
        switch (precision) {
          case FP16 -> DType.F16;
          case BF16 -> DType.BF16;
          case AUTO, FP32 -> DType.F32;
        });
  }

  private void check() {
    if (batch < 1 || shared < 1 || steps < 1 || sliceTokens < 1) {
      throw new InvalidRequestException("batch, shared, steps and slices must be 1 or more");
    }
    if (chunkTokens < 1 || shared % chunkTokens != 0) {
      throw new InvalidRequestException("--shared must be a multiple of --chunk-size");
    }
  }

  private void report(Table table, String name, Result result) {
    if (json.wanted()) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("shape", model == null ? shape.name() : model);
      line.put("case", name);
      line.put("weights", weights.name().toLowerCase(Locale.ROOT));
      line.put("weight_format", format.name().toLowerCase(Locale.ROOT));
      line.put("batch", batch);
      line.put("shared", shared);
      line.put("steps", steps);
      line.put("step_us", result.stepMicros());
      line.put("step_us_best", result.stepMicrosBest());
      line.put("planned_late", planLate);
      line.put("plan_us", result.planMicros());
      line.put("to_launch_us", known(result.gapMicros()));
      line.put("idle_us", known(result.idleMicros()));
      line.put("prefill_tokens_per_s", result.prefillTokensPerSecond());
      line.put("kv_bytes", result.kvBytes());
      context.console().out().println(Json.line(line));
    } else {
      table.row(
          name,
          millis(result.stepMicros()),
          millis(result.stepMicrosBest()),
          micros(result.planMicros()),
          micros(result.gapMicros()),
          micros(result.idleMicros()),
          String.format(Locale.ROOT, "%,.0f", batch * 1e6 / result.stepMicros()),
          String.format(Locale.ROOT, "%,.0f", result.prefillTokensPerSecond()),
          String.format(Locale.ROOT, "%,d MiB", result.kvBytes() >> 20));
    }
  }

  /** JSON has no NaN. */
  private static @Nullable Double known(double value) {
    return Double.isNaN(value) ? null : value;
  }

  private static String micros(double micros) {
    return Double.isNaN(micros) ? "-" : String.format(Locale.ROOT, "%.1f us", micros);
  }

  private static String millis(double micros) {
    return String.format(Locale.ROOT, "%.3f ms", micros / 1000);
  }
}
