package org.chunkllama.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.chunkllama.bench.OfflineResult;
import org.chunkllama.bench.PeerGoal;
import org.chunkllama.bench.PeersBench;
import org.chunkllama.bench.PeersBench.Engine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code bench peers}: ours beside vLLM and llama.cpp on one machine. */
@Command(
    name = "peers",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "The offline figures of ChunkLlama, vLLM CPU and llama.cpp, run in turns.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  chunkllama bench peers --peers ~/peers --scripts ../shared/peers --turns 3",
      "  chunkllama bench peers --peers ~/peers --scripts ../shared/peers -- --precision bf16"
    })
final class BenchPeersCommand implements Callable<Integer> {
  private final Context context;

  @Mixin private final PeersOptions peers = new PeersOptions();

  @Option(
      names = "--turns",
      paramLabel = "N",
      defaultValue = "1",
      description = "Times each is run; medians count. Default: ${DEFAULT-VALUE}.")
  private int turns = 1;

  @Mixin private final JsonLines json = new JsonLines();

  @Parameters(paramLabel = "OPTION", description = "More options of our 'bench offline'.")
  private List<String> options = new ArrayList<>();

  BenchPeersCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException {
    List<String> ours = new ArrayList<>(List.of("bench", "offline", "--json", "--quiet"));
    ours.addAll(options);
    PeersBench bench =
        new PeersBench(
            peers.peers(context.console()::say), OurCommand.with(ours), context.console()::say);
    Map<Engine, Map<String, Double>> figures = bench.run(Math.max(1, turns));
    if (json.wanted()) {
      figures.forEach((engine, values) ->
          context
              .console()
              .out()
              .println(Json.line(Map.of("engine", engine.name(), "figures", values))));
    } else {
      context.console().out().println(figures(figures));
      context.console().out().print(ratios(figures));
    }
    return 0;
  }

  private static String figures(Map<Engine, Map<String, Double>> figures) {
    List<String> headings = new ArrayList<>(List.of("tokens/s"));
    figures.keySet().forEach(engine -> headings.add(engine.name()));
    Table table = new Table(headings);
    for (String figure : OfflineResult.FIGURES) {
      List<String> row = new ArrayList<>(List.of(figure));
      figures
          .values()
          .forEach(values -> row.add(String.format(Locale.ROOT, "%.1f", values.get(figure))));
      table.row(row);
    }
    return table.text();
  }

  private static String ratios(Map<Engine, Map<String, Double>> figures) {
    Table table = new Table("figure", "against", "ratio", "closes at", "aim", "");
    for (PeerGoal goal : PeerGoal.all()) {
      double ratio = goal.ratio(figures);
      String verdict = ratio >= goal.aim() ? "aim" : ratio >= goal.closesAt() ? "closes" : "short";
      table.row(
          goal.name(),
          String.join(" or ", goal.against().stream().map(Engine::name).toList()),
          String.format(Locale.ROOT, "%.2f", ratio),
          String.valueOf(goal.closesAt()),
          String.valueOf(goal.aim()),
          verdict);
    }
    return table.text();
  }
}
