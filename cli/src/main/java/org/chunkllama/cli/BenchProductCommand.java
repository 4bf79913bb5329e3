package org.chunkllama.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.chunkllama.bench.ProductBench;
import org.chunkllama.bench.ProductBench.Result;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendOptions.Precision;
import org.chunkllama.spi.Backends;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench product}: packed fp32 products against one core's peak. */
@Command(
    name = "product",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    abbreviateSynopsis = true,
    description =
        "Linear layers with fp32 weights on one core, against the multiply-adds that the core does"
            + " on registers alone.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  chunkllama bench product",
      "  chunkllama bench product --rows 1,12,480 --size 4096 --json"
    })
final class BenchProductCommand implements Callable<Integer> {
  private final Context context;

  @Option(
      names = "--rows",
      paramLabel = "M",
      split = ",",
      defaultValue = "12,96,480",
      description = "Rows of the activations. Default: ${DEFAULT-VALUE}.")
  private List<Integer> rows = List.of();

  @Option(
      names = "--size",
      paramLabel = "N",
      defaultValue = "2048",
      description = "Inputs and outputs of the layer. Default: ${DEFAULT-VALUE}.")
  private int size = 2048;

  @Mixin private final JsonLines json = new JsonLines();

  @Mixin private final Rounds rounds = new Rounds(21);

  BenchProductCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    if (size < 1 || rows.stream().anyMatch(m -> m < 1)) {
      throw new InvalidRequestException("--rows and --size must be 1 or more");
    }
    BackendOptions oneCore = BackendOptions.defaults().withThreads(1).withPrecision(Precision.FP32);
    Table table = new Table("M x %d x %d".formatted(size, size), "GFLOP/s", "peak", "ratio");
    try (Backend backend = Backends.open(Backends.AUTO, oneCore)) {
      ProductBench bench = new ProductBench(backend, rounds.count());
      for (int m : rows) {
        Result result = bench.measure(m, size);
        if (json.wanted()) {
          context.console().out().println(Json.line(json(result)));
        } else {
          table.row(
              String.valueOf(m),
              String.format(Locale.ROOT, "%.1f", result.gigaflopsPerSecond()),
              String.format(Locale.ROOT, "%.1f", result.peakGigaflopsPerSecond()),
              String.format(Locale.ROOT, "%.2f", result.ratio()));
        }
      }
    }
    if (!json.wanted()) {
      context.console().out().print(table.text());
    }
    return 0;
  }

  private Map<String, Object> json(Result result) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("rows", result.rows());
    json.put("size", size);
    json.put("gflops_per_s", result.gigaflopsPerSecond());
    json.put("peak_gflops_per_s", result.peakGigaflopsPerSecond());
    json.put("ratio", result.ratio());
    return json;
  }
}
