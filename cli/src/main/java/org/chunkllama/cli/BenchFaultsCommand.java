package org.chunkllama.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.chunkllama.bench.faults.FaultResult;
import org.chunkllama.bench.faults.FaultsBench;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code bench faults}: hostile input and lost clients against servers that it starts. */
@Command(
    name = "faults",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Start servers, do to them what should not happen, and check what is left of it.",
      "After each fault all chunks of the pool must be accounted for, no thread or file handle be"
          + " left, and answers be as before."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  chunkllama bench faults",
      "  chunkllama bench faults --minutes 10",
      "  chunkllama bench faults --model hf:Qwen/Qwen3-0.6B -- --kv-type fp16"
    })
final class BenchFaultsCommand implements Callable<Integer> {
  private final Context context;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "MODEL",
      defaultValue = ModelOptions.DEFAULT_MODEL,
      description = "As 'serve' takes it. Default: ${DEFAULT-VALUE}.")
  private String model = ModelOptions.DEFAULT_MODEL;

  @Option(
      names = "--minutes",
      paramLabel = "N",
      defaultValue = "0",
      description = "After all faults repeat those that one server can take for so long.")
  private double minutes;

  @Mixin private final JsonLines json = new JsonLines();

  @Parameters(paramLabel = "OPTION", description = "More options of 'serve'.")
  private List<String> options = new ArrayList<>();

  BenchFaultsCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    List<String> serve =
        new ArrayList<>(List.of("serve", "--model", model, "--port", "0", "--no-access-log"));
    serve.addAll(options);
    List<FaultResult> results = new ArrayList<>();
    try (FaultsBench bench = new FaultsBench(OurCommand.with(serve), this::print)) {
      results.addAll(bench.all());
      if (minutes > 0) {
        results.addAll(bench.soak(Duration.ofMillis((long) (minutes * 60_000))));
      }
    }
    long failed = results.stream().filter(result -> !result.passed()).count();
    context.console().say("%d faults, %d failed".formatted(results.size(), failed));
    return failed == 0 ? 0 : 1;
  }

  private void print(FaultResult result) {
    context.console().out().println(json.wanted() ? Json.line(result.json()) : result.line());
  }
}
