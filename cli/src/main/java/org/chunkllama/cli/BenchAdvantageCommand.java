package org.chunkllama.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.chunkllama.bench.AdvantageBench;
import org.chunkllama.bench.AdvantageBench.Against;
import org.chunkllama.bench.AttentionWorkload.Heads;
import org.chunkllama.bench.KernelBench;
import org.chunkllama.spi.Backend;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench advantage}: what sharing gains, by shared length and batch. */
@Command(
    name = "advantage",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    abbreviateSynopsis = true,
    description =
        "How many times faster decode attention is with sharing than without, by shared tokens and"
            + " batch.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  chunkllama bench advantage",
      "  chunkllama bench advantage --shape 32,8,128,64 --kv-type bf16 --against sequence_first"
    })
final class BenchAdvantageCommand implements Callable<Integer> {
  private final Context context;

  @Option(
      names = "--shape",
      paramLabel = "HQ,HKV,D,C",
      defaultValue = "9,3,64,64",
      description =
          "Query heads, KV heads, head dim, tokens per chunk. Default: ${DEFAULT-VALUE}, SmolLM2's.")
  private String shape = "9,3,64,64";

  @Option(
      names = "--shared",
      paramLabel = "N",
      split = ",",
      defaultValue = "0,512,1024,2048,4096",
      description = "Shared tokens. Default: ${DEFAULT-VALUE}.")
  private List<Integer> shared = List.of();

  @Option(
      names = "--batch",
      paramLabel = "N",
      split = ",",
      defaultValue = "1,2,4,8,16,32,64",
      description = "Sequences. Default: ${DEFAULT-VALUE}.")
  private List<Integer> batches = List.of();

  @Option(
      names = "--own",
      paramLabel = "N",
      defaultValue = "64",
      description = "Own tokens of each sequence. Default: ${DEFAULT-VALUE}.")
  private int own = 64;

  @Option(
      names = "--against",
      paramLabel = "WHAT",
      defaultValue = "unshared",
      description =
          "unshared: each sequence with chunks of its own; sequence_first: the same chunks, read by"
              + " each sequence. Default: ${DEFAULT-VALUE}.")
  private Against against = Against.UNSHARED;

  @Mixin private final JsonLines json = new JsonLines();

  @Mixin private final Rounds rounds = new Rounds(11);

  @Mixin private final BackendArguments backendArguments = new BackendArguments();

  BenchAdvantageCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    int[] n = Shapes.parse(shape, 4, "--shape");
    List<String> headings = new ArrayList<>(List.of("shared tokens"));
    batches.forEach(batch -> headings.add("batch " + batch));
    Table table = new Table(headings);
    double least = Double.POSITIVE_INFINITY;
    try (Backend backend = backendArguments.open()) {
      Heads heads = backendArguments.heads(n[0], n[1], n[2], n[3]);
      new KernelBench(backend, 1).warmUp(heads);
      AdvantageBench bench = new AdvantageBench(backend, heads, own, against, rounds.count());
      for (int tokens : shared) {
        List<String> row = new ArrayList<>(List.of(String.format(Locale.ROOT, "%,d", tokens)));
        for (int batch : batches) {
          double ratio = bench.cell(tokens, batch);
          least = Math.min(least, ratio);
          row.add(String.format(Locale.ROOT, "%.2f", ratio));
          if (json.wanted()) {
            context
                .console()
                .out()
                .println(Json.line(Map.of("shared", tokens, "batch", batch, "ratio", ratio)));
          }
        }
        table.row(row);
      }
    }
    if (!json.wanted()) {
      context.console().out().print(table.text());
      context.console().out().printf(Locale.ROOT, "%nleast: %.3f%n", least);
    }
    return 0;
  }
}
