package org.chunkllama.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.chunkllama.bench.SamplingBench;
import org.chunkllama.bench.SamplingBench.Result;
import org.chunkllama.bench.SamplingBench.Way;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.Backends;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench sampling}: from a step's logits to its tokens. */
@Command(
    name = "sampling",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    abbreviateSynopsis = true,
    description =
        "From the logits of a step to its tokens: all rows together, on the device where the backend can,"
            + " against reading each row and drawing on the host.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  chunkllama bench sampling --backend cuda",
      "  chunkllama bench sampling --backend cuda --rows 1,64 --vocabulary 49152 --json"
    })
final class BenchSamplingCommand implements Callable<Integer> {
  private final Context context;

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      defaultValue = "auto",
      description = "auto, cuda, cpu or reference. Default: ${DEFAULT-VALUE}.")
  private String backendName = "auto";

  @Option(
      names = "--rows",
      paramLabel = "N",
      split = ",",
      defaultValue = "1,32,128",
      description = "Rows of a step. Default: ${DEFAULT-VALUE}.")
  private List<Integer> rows = List.of();

  @Option(
      names = "--vocabulary",
      paramLabel = "N",
      split = ",",
      defaultValue = "32000,128256",
      description = "Logits in a row. Default: ${DEFAULT-VALUE}.")
  private List<Integer> vocabularies = List.of();

  @Mixin private final JsonLines json = new JsonLines();

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "51",
      description =
          "Medians of so many steps count; fewer where they take long. Default: ${DEFAULT-VALUE}.")
  private int rounds = 51;

  BenchSamplingCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    if (rows.stream().anyMatch(n -> n < 1) || vocabularies.stream().anyMatch(n -> n < 1)) {
      throw new InvalidRequestException("--rows and --vocabulary must be 1 or more");
    }
    Table table = new Table("draws", "vocabulary", "rows", "together", "row by row", "ratio");
    try (Backend backend = Backends.open(backendName, BackendOptions.defaults())) {
      SamplingBench bench = new SamplingBench(backend, Math.max(1, rounds));
      for (int vocabulary : vocabularies) {
        for (int count : rows) {
          for (Way way : SamplingBench.ways()) {
            show(table, way, vocabulary, count, bench.measure(count, vocabulary, way));
          }
        }
      }
    }
    if (!json.wanted()) {
      context.console().out().print(table.text());
    }
    return 0;
  }

  private void show(Table table, Way way, int vocabulary, int count, Result result) {
    double ratio = result.hostMicros() / result.deviceMicros();
    if (json.wanted()) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("draws", way.name());
      line.put("vocabulary", vocabulary);
      line.put("rows", count);
      line.put("together_us", result.deviceMicros());
      line.put("row_by_row_us", result.hostMicros());
      context.console().out().println(Json.line(line));
      return;
    }
    table.row(
        way.name(),
        String.valueOf(vocabulary),
        String.valueOf(count),
        String.format(Locale.ROOT, "%.1f µs", result.deviceMicros()),
        String.format(Locale.ROOT, "%.1f µs", result.hostMicros()),
        String.format(Locale.ROOT, "%.1f", ratio));
  }
}
