package org.chunkllama.cli;

import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.chunkllama.Llm;
import org.chunkllama.bench.OfflineBench;
import org.chunkllama.bench.OfflineWorkload;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench offline}: the five figures that the peers' scripts print. */
@Command(
    name = "offline",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    abbreviateSynopsis = true,
    description = {
      "Tokens per second of a long prompt, one request, many, and many with a common prefix.",
      "The prefix is met cold and warm. The second round is the one to quote."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  chunkllama bench offline --json",
      "  chunkllama bench offline --no-prefix-sharing --precision fp32"
    })
final class BenchOfflineCommand implements Callable<Integer> {
  private final Context context;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "2",
      description = "Default: ${DEFAULT-VALUE}.")
  private int rounds = 2;

  @Mixin private final JsonLines json = new JsonLines();

  @Mixin private final WorkloadOptions workload = new WorkloadOptions();
  @Mixin private final ModelOptions modelOptions = new ModelOptions();

  BenchOfflineCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    OfflineWorkload sizes = workload.sizes();
    try (Llm llm = Models.load(modelOptions, context)) {
      OfflineBench bench = new OfflineBench(llm, sizes, workload.seed());
      bench.warmUp();
      for (int i = 1; i <= rounds; i++) {
        Map<String, Object> figures = bench.round().json();
        context.console().out().println(json.wanted() ? Json.line(figures) : text(i, figures));
      }
    }
    return 0;
  }

  private static String text(int round, Map<String, Object> figures) {
    Table table = new Table("round " + round, "");
    figures.forEach((name, value) ->
        table.row(
            name, value instanceof Long n ? String.format(Locale.ROOT, "%,d", n) : "" + value));
    return table.text();
  }
}
