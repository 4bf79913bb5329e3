package org.chunkllama.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.chunkllama.bench.ProfileBench;
import org.chunkllama.bench.ProfileBench.Profile;
import org.chunkllama.files.ModelLocator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench profile}: where the time of the offline workloads goes. */
@Command(
    name = "profile",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    abbreviateSynopsis = true,
    description = "Where the time of each offline workload goes, by operation (second round).",
    footerHeading = "%nExamples:%n",
    footer = {"  chunkllama bench profile", "  chunkllama bench profile --jfr profile.jfr"})
final class BenchProfileCommand implements Callable<Integer> {
  private final Context context;

  @Option(
      names = "--jfr",
      paramLabel = "FILE",
      description = "Also record with JDK Flight Recorder.")
  private @Nullable Path recording;

  @Mixin private final JsonLines json = new JsonLines();

  @Mixin private final WorkloadOptions workload = new WorkloadOptions();
  @Mixin private final ModelOptions modelOptions = new ModelOptions();

  BenchProfileCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException {
    Path model = ModelLocator.resolve(modelOptions.model(), context.progress());
    ProfileBench bench = new ProfileBench(model, modelOptions.llmOptions(), workload.sizes());
    List<Profile> profiles = bench.run(context.progress(), recording);
    if (json.wanted()) {
      profiles.forEach(profile -> context.console().out().println(Json.line(json(profile))));
    } else {
      context.console().out().print(table(profiles));
    }
    return 0;
  }

  private static Map<String, Object> json(Profile profile) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("workload", profile.workload());
    json.put("seconds", profile.seconds());
    json.put("seconds_by_operation", profile.secondsByOperation());
    return json;
  }

  private static String table(List<Profile> profiles) {
    List<String> headings = new ArrayList<>(List.of("operation"));
    profiles.forEach(profile -> headings.add(profile.workload()));
    Table table = new Table(headings);
    for (String operation : profiles.getFirst().secondsByOperation().keySet()) {
      List<String> row = new ArrayList<>(List.of(operation));
      for (Profile profile : profiles) {
        double seconds = profile.secondsByOperation().getOrDefault(operation, 0.0);
        row.add(String.format(Locale.ROOT, "%.1f %%", 100 * seconds / profile.seconds()));
      }
      table.row(row);
    }
    List<String> total = new ArrayList<>(List.of("seconds"));
    profiles.forEach(profile -> total.add(String.format(Locale.ROOT, "%.3f s", profile.seconds())));
    table.row(total);
    return table.text();
  }
}
