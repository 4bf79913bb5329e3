package org.chunkllama.cli;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.chunkllama.bench.GuideBench;
import org.chunkllama.bench.GuideBench.Cost;
import org.chunkllama.files.ModelLocator;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench guide}: what guided decoding costs per token. */
@Command(
    name = "guide",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    abbreviateSynopsis = true,
    description = "What guided decoding costs with a model's vocabulary (second round).",
    footerHeading = "%nExamples:%n",
    footer = {"  chunkllama bench guide", "  chunkllama bench guide --tokens 5000 --json"})
final class BenchGuideCommand implements Callable<Integer> {
  private final Context context;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      description = "Tokens drawn under each guide (default: ${DEFAULT-VALUE}).")
  private int tokens = 2000;

  @Mixin private final JsonLines json = new JsonLines();

  @Option(
      names = {"-m", "--model"},
      paramLabel = "MODEL",
      description = "Name, file or folder (default: ${DEFAULT-VALUE}).")
  private String model = ModelOptions.DEFAULT_MODEL;

  BenchGuideCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException {
    List<Cost> costs =
        GuideBench.run(ModelLocator.resolve(model, context.progress()), Math.max(1, tokens));
    for (Cost cost : costs) {
      context.console().out().println(json.wanted() ? Json.line(json(cost)) : line(cost));
    }
    return 0;
  }

  private static Map<String, Object> json(Cost cost) {
    return Map.of(
        "guide", cost.guide(),
        "compile_ns", cost.compile(),
        "tokens", cost.tokens(),
        "finds", cost.finds(),
        "find_mean_ns", cost.findMean(),
        "find_max_ns", cost.findMax(),
        "mask_mean_ns", cost.mask());
  }

  private static String line(Cost cost) {
    return String.format(
        Locale.ROOT,
        "%-12s ready in %6.1f ms; %5d new states, %6.2f ms each, %6.2f ms at most; mask %5.1f us per token",
        cost.guide(),
        cost.compile() / 1e6,
        cost.finds(),
        cost.findMean() / 1e6,
        cost.findMax() / 1e6,
        cost.mask() / 1e3);
  }
}
