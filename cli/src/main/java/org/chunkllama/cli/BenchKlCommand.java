package org.chunkllama.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.chunkllama.bench.KlBench;
import org.chunkllama.bench.KlBench.Result;
import org.chunkllama.bench.KlBench.Variant;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.files.ModelFile;
import org.chunkllama.files.ModelLocator;
import org.chunkllama.spi.BackendOptions.Precision;
import org.chunkllama.text.Tokenizer;
import org.chunkllama.text.Tokenizers;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench kl}: what a precision costs in accuracy. */
@Command(
    name = "kl",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    abbreviateSynopsis = true,
    description = {
      "Mean KL divergence (nats) of a precision and KV type from fp32 over a text's tokens.",
      "With --cached: of answers over a cached prefix from those that compute it anew."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  chunkllama bench kl --text book.txt",
      "  chunkllama bench kl --text book.txt --precision bf16 --kv-type bf16",
      "  chunkllama bench kl --text book.txt --precision fp32 --kv-type fp32 --cached"
    })
final class BenchKlCommand implements Callable<Integer> {
  private final Context context;

  @Option(
      names = "--text",
      paramLabel = "FILE",
      required = true,
      description = "Text to measure on.")
  private Path text = Path.of("");

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "1000",
      description = "Of the text, from its beginning. Default: ${DEFAULT-VALUE}.")
  private int tokens = 1000;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "MODEL",
      defaultValue = ModelOptions.DEFAULT_MODEL,
      description = "File, folder, hf:org/name or catalogue name. Default: ${DEFAULT-VALUE}.")
  private String model = ModelOptions.DEFAULT_MODEL;

  @Option(
      names = "--precision",
      paramLabel = "TYPE",
      defaultValue = "auto",
      description = "auto, fp32 or bf16. Default: ${DEFAULT-VALUE}.")
  private Precision precision = Precision.AUTO;

  @Option(
      names = "--cached",
      description = "Compare a prefix that was cached with the same computed anew.")
  private boolean cached;

  @Mixin private final JsonLines json = new JsonLines();

  @Mixin private final BackendArguments backend = new BackendArguments();

  BenchKlCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException {
    Path path = ModelLocator.resolve(model, context.progress());
    String content = Files.readString(text);
    try (ModelFile file = ModelFile.open(path, context.progress());
        Tokenizer tokenizer = Tokenizers.of(file.tokenizer())) {
      int[] ids = tokenizer.encode(content, true, false);
      if (ids.length < tokens) {
        throw new InvalidRequestException(
            "%s has %d tokens; give a longer text or --tokens %d"
                .formatted(text, ids.length, ids.length));
      }
      KlBench bench = new KlBench(file, backend.name(), backend.threads());
      Variant variant = new Variant(precision, backend.type());
      int[] first = Arrays.copyOf(ids, tokens);
      print(variant, cached ? bench.cached(first, variant) : bench.precision(first, variant));
    }
    return 0;
  }

  private void print(Variant variant, Result result) {
    if (json.wanted()) {
      Map<String, Object> values = new LinkedHashMap<>();
      values.put("precision", variant.precision().name());
      values.put("kv_type", variant.kvType().name());
      values.put("cached", cached);
      values.put("positions", result.positions());
      values.put("mean_kl", result.meanKl());
      values.put("max_kl", result.maxKl());
      values.put("same_top", result.sameTop());
      context.console().out().println(Json.line(values));
      return;
    }
    context
        .console()
        .out()
        .printf(
            Locale.ROOT,
            "%s, KV %s, %s: mean KL %.3g nats, most %.3g, same likeliest token %.2f %% (%d"
                + " positions)%n",
            variant.precision(),
            variant.kvType(),
            cached ? "cached against recomputed" : "against fp32",
            result.meanKl(),
            result.maxKl(),
            100 * result.sameTop(),
            result.positions());
  }
}
