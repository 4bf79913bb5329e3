package org.chunkllama.cli;

import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.GraphTimer;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.TunableAttention;
import org.chunkllama.spi.TunableAttention.Setting;
import org.chunkllama.tune.AttentionTuner;
import org.chunkllama.tune.AttentionTuner.Result;
import org.chunkllama.tune.AttentionTuner.Time;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tune}: settings of attention for the device and model at hand. */
@Command(
    name = "tune",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    abbreviateSynopsis = true,
    description = {
      "Measure how attention is best cut up on this GPU for a model's heads; keep it for later.",
      "Answers stay the same, only speed changes. Without it a built-in table serves, or what the"
          + " first start on the GPU measured in a few seconds."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  chunkllama tune --shape llama-3.1-8b",
      "  chunkllama tune models/Llama-3.1-8B-Instruct --kv-type bf16 --seconds 120",
      "",
      "Of a folder config.json is enough. What is kept counts for this kind of GPU, these heads,",
      "chunk size and KV type, and this version of the kernel."
    })
final class TuneCommand implements Callable<Integer> {
  private final Context context;

  @Parameters(
      paramLabel = "MODEL",
      arity = "0..1",
      description = "As --model of other commands; its heads are tuned for.")
  private @Nullable String model;

  @Mixin private final ShapeOption shape = new ShapeOption();

  @Option(
      names = "--chunk-size",
      paramLabel = "N",
      defaultValue = "64",
      description = "Tokens per chunk. Default: ${DEFAULT-VALUE}.")
  private int chunkTokens = 64;

  @Option(
      names = "--seconds",
      paramLabel = "N",
      defaultValue = "60",
      description = "How long to measure at most, about. Default: ${DEFAULT-VALUE}.")
  private int seconds = 60;

  @Option(names = "--dry-run", description = "Keep nothing.")
  private boolean dryRun;

  @Mixin private final BackendArguments backendArguments = new BackendArguments();

  TuneCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    if (seconds < 1 || chunkTokens < 16 || chunkTokens > 128 || chunkTokens % 16 != 0) {
      throw new InvalidRequestException(
          "--seconds must be 1 or more, --chunk-size a multiple of 16 from 16 to 128");
    }
    ModelConfig config = shape.config(model, context.progress());
    try (Backend backend = backendArguments.open()) {
      if (backend instanceof TunableAttention tunable && backend instanceof GraphTimer timer) {
        tune(backend, timer, tunable, config);
      } else {
        context.console().out().printf("backend %s has nothing to tune%n", backend.name());
      }
      return 0;
    }
  }

  private void tune(
      Backend backend, GraphTimer timer, TunableAttention tunable, ModelConfig config) {
    KvLayout layout =
        new KvLayout(
            1,
            config.kvHeads(),
            config.headDim(),
            chunkTokens,
            backendArguments.typeOr(DType.BF16));
    Duration limit = Duration.ofSeconds(seconds);
    Result result =
        AttentionTuner.tune(
            backend, timer, tunable, layout, config.heads(), limit, context.progress());
    report(result);
    if (!dryRun) {
      String note =
          String.format(
              Locale.ROOT,
              "chunkllama tune, %s: %.3f of the time before",
              LocalDate.now(ZoneOffset.UTC),
              result.ratio());
      String place = tunable.keep(layout, config.heads(), note);
      context.console().out().println("kept in " + place);
    }
  }

  private void report(Result result) {
    Table times = new Table("decode step", "before", "after", "after / before");
    for (Time time : result.times()) {
      times.row(
          time.name(),
          String.format(Locale.ROOT, "%.1f us", time.before()),
          String.format(Locale.ROOT, "%.1f us", time.after()),
          String.format(Locale.ROOT, "%.3f", time.after() / time.before()));
    }
    Table settings = new Table("setting", "before", "now");
    List<Setting> now = result.settings();
    for (int i = 0; i < now.size(); i++) {
      settings.row(now.get(i).name(), number(result.before().get(i)), number(now.get(i).value()));
    }
    String summary =
        String.format(
            Locale.ROOT,
            "%s: %.3f of the time before in the geometric mean; %d sets of values measured%s",
            result.isChanged() ? "faster" : "nothing faster found",
            result.ratio(),
            result.points(),
            result.complete() ? "" : ", time was over (--seconds)");
    context.console().out().print(times.text() + "\n" + settings.text() + "\n" + summary + "\n");
  }

  private static String number(double value) {
    return value == Math.rint(value) ? String.valueOf((long) value) : String.valueOf(value);
  }
}
