package org.chunkllama.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import org.chunkllama.bench.Peers;
import org.chunkllama.bench.server.IdleStreams;
import org.chunkllama.bench.server.LoadResult;
import org.chunkllama.bench.server.ServerBench;
import org.chunkllama.bench.server.ServerGoal;
import org.chunkllama.bench.server.StepTimes;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code bench server}: ours, ours without sharing and vLLM's under vLLM's own client. */
@Command(
    name = "server",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    abbreviateSynopsis = true,
    description = {
      "The server under load, beside itself without sharing and beside vLLM's CPU server.",
      "In turns, by vLLM's own client: (prefix) 2,000 common tokens at rising rates; (questions) a real",
      "system prompt; (random) nothing shared; (steps) time beside the model with 32 streams; (idle)",
      "memory of 1,000 streams that wait."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  chunkllama bench server --peers ~/peers --scripts ../shared/peers",
      "  chunkllama bench server --peers ~/peers --parts prefix --rates 1,2,4,8 --json",
      "  chunkllama bench server --peers ~/peers --parts steps,idle -- --precision bf16"
    })
final class BenchServerCommand implements Callable<Integer> {
  /** What is measured. */
  enum Part {
    PREFIX,
    QUESTIONS,
    RANDOM,
    STEPS,
    IDLE;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final Context context;
  private final List<ServerGoal> goals = new ArrayList<>();

  @Mixin private final PeersOptions peers = new PeersOptions();

  @Option(
      names = "--prompts",
      paramLabel = "FOLDER",
      defaultValue = "../shared/assets/prompts",
      description = "Where chameleon and tabmwp are. Default: ${DEFAULT-VALUE}.")
  private Path prompts = Path.of("");

  @Option(
      names = "--parts",
      paramLabel = "PART",
      split = ",",
      defaultValue = "prefix,questions,random,steps,idle",
      description = "Default: ${DEFAULT-VALUE}.")
  private Set<Part> parts = EnumSet.allOf(Part.class);

  @Option(
      names = "--rates",
      paramLabel = "N",
      split = ",",
      defaultValue = "1,2,3,4,6,8,11,15",
      description = "Requests per second, rising. Default: ${DEFAULT-VALUE}.")
  private List<Double> rates = new ArrayList<>();

  @Option(
      names = "--seconds",
      paramLabel = "N",
      defaultValue = "15",
      description = "How long each rate lasts. Default: ${DEFAULT-VALUE}.")
  private double seconds;

  @Option(
      names = "--turns",
      paramLabel = "N",
      defaultValue = "3",
      description = "Times that (random) is run; medians count. Default: ${DEFAULT-VALUE}.")
  private int turns;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "5",
      description = "Default: ${DEFAULT-VALUE}.")
  private int seed;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "MODEL",
      defaultValue = ModelOptions.DEFAULT_MODEL,
      description = "Ours; the peers serve the same weights. Default: ${DEFAULT-VALUE}.")
  private String model = ModelOptions.DEFAULT_MODEL;

  @Mixin private final JsonLines json = new JsonLines();

  @Parameters(paramLabel = "OPTION", description = "More options of our 'serve'.")
  private List<String> options = new ArrayList<>();

  BenchServerCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    List<String> serve = new ArrayList<>(List.of("serve", "--model", model, "--port", "0"));
    serve.addAll(List.of("--served-model-name", Peers.MODEL, "--no-access-log"));
    serve.addAll(options);
    ServerBench bench =
        new ServerBench(
            peers.peers(context.console()::say),
            OurCommand.with(serve),
            new ServerBench.Plan(rates, seconds, Math.max(1, turns), seed),
            context.console()::say);
    for (Part part : Part.values()) {
      if (parts.contains(part)) {
        run(bench, part);
      }
    }
    if (json.wanted()) {
      goals.forEach(goal -> print(Json.line(goal)));
    } else {
      print(goals());
    }
    return 0;
  }

  private void run(ServerBench bench, Part part) throws IOException, InterruptedException {
    switch (part) {
      case PREFIX -> ramp("common prefix", bench.commonPrefix());
      case QUESTIONS -> ramp("tabmwp-policy", bench.questions(prompts));
      case RANDOM -> {
        List<LoadResult> results = bench.nothingShared();
        show(results);
        goals.addAll(ServerGoal.ofNothingShared(results));
      }
      case STEPS -> {
        StepTimes times = bench.stepTimes();
        print(Json.line(times));
        goals.add(ServerGoal.of(times));
      }
      case IDLE -> {
        IdleStreams idle = bench.idleStreams();
        print(Json.line(idle));
        goals.add(ServerGoal.of(idle));
      }
    }
  }

  private void ramp(String load, List<LoadResult> results) {
    show(results);
    goals.addAll(ServerGoal.ofRamp(load, results));
  }

  private void print(String text) {
    context.console().out().println(text);
  }

  private void show(List<LoadResult> results) {
    if (json.wanted()) {
      results.stream().map(LoadResult::json).map(Json::line).forEach(this::print);
      return;
    }
    Table table =
        new Table(
            "load", "server", "rate", "failed", "TTFT ms", "TPOT ms", "tokens/s", "peak KV MB");
    for (LoadResult r : results) {
      table.row(
          r.load(),
          r.target().name(),
          Double.isInfinite(r.rate()) ? "all at once" : number(r.rate()),
          String.valueOf(r.failed()),
          number(r.ttftMillis()),
          number(r.tpotMillis()),
          number(r.tokensPerSecond()),
          r.kvBytesPeak() == 0 ? "" : number(r.kvBytesPeak() / 1e6));
    }
    print(table.text());
  }

  private String goals() {
    Table table = new Table("figure", "measured", "closes at", "aim", "");
    for (ServerGoal goal : goals) {
      String sign = goal.atMost() ? "at most " : "";
      table.row(
          goal.name(),
          String.format(Locale.ROOT, "%.3g", goal.value()),
          sign + goal.closesAt(),
          sign + goal.aim(),
          goal.verdict());
    }
    return table.text();
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }
}
