package org.chunkllama.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import org.chunkllama.bench.AttentionWorkload.Heads;
import org.chunkllama.bench.ColdAttention;
import org.chunkllama.bench.DecodeTree;
import org.chunkllama.bench.KernelBench;
import org.chunkllama.bench.KernelBench.Result;
import org.chunkllama.bench.KernelBench.Shape;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.GraphTimer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench kernel}: decode attention of one layer. */
@Command(
    name = "kernel",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    abbreviateSynopsis = true,
    description =
        "Decode attention of one layer: two-phase against sequence-first over the same chunks. On a GPU: "
            + "time of the launch alone, K and V not in its cache, beside the time to read them once.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  chunkllama bench kernel --kv-type bf16",
      "  chunkllama bench kernel --shapes shapes.csv --json",
      "  chunkllama bench kernel --backend cuda --kv-type fp16 --csv attention.csv",
      "  chunkllama bench kernel --backend cuda --kv-type fp16 --forest --ragged 40",
      "",
      "A line of FILE is hq,hkv,d,c,b,ns,nc: query heads, KV heads, head dim, tokens per chunk,",
      "batch, shared tokens, own tokens."
    })
final class BenchKernelCommand implements Callable<Integer> {
  private final Context context;

  @Option(names = "--shapes", paramLabel = "FILE", description = "Shapes instead of the built-in.")
  private @Nullable Path shapes;

  @Mixin private final JsonLines json = new JsonLines();

  @Mixin private final Rounds rounds = new Rounds(11);

  @Option(
      names = "--csv",
      paramLabel = "FILE",
      description = "Write hq,hkv,d,c,b,ns,nc,time_us,floor_us there too (cuda).")
  private @Nullable Path csv;

  @Option(
      names = "--bandwidth",
      paramLabel = "TB/S",
      defaultValue = "3.02",
      description = "What the memory can deliver, for the floor (cuda). Default: ${DEFAULT-VALUE}.")
  private double bandwidth = 3.02;

  @Option(
      names = "--forest",
      description =
          "A forest instead of the shapes: 4 roots of 1,024 tokens, 4 branches of 512 on each, 4 sequences "
              + "of 128 on each; with sharing and without (cuda).")
  private boolean forest;

  @Option(
      names = "--ragged",
      paramLabel = "N",
      defaultValue = "0",
      description = "N random trees instead of the shapes, with sharing and without (cuda).")
  private int ragged;

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "1",
      description = "Seed of the random trees. Default: ${DEFAULT-VALUE}.")
  private long seed = 1;

  @Mixin private final BackendArguments backendArguments = new BackendArguments();

  BenchKernelCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException {
    try (Backend backend = backendArguments.open()) {
      if (backend instanceof GraphTimer timer) {
        if (json.wanted()) {
          throw new InvalidRequestException("--json is not to be had on a GPU; use --csv FILE");
        }
        AttentionTable table = new AttentionTable(context.console().out(), csv, bandwidth);
        ColdAttention bench = new ColdAttention(backend, timer, rounds.count());
        List<Heads> heads = ColdAttention.heads(backendArguments.typeOr(DType.F16));
        List<DecodeTree> trees = trees();
        if (trees.isEmpty()) {
          table.print(bench, deviceShapes());
        } else {
          table.printTrees(bench, heads, trees);
        }
        table.printHost(bench, heads);
        return 0;
      }
      if (csv != null || forest || ragged > 0) {
        throw new InvalidRequestException(
            "--csv, --forest and --ragged need a backend with a clock of its own: cuda");
      }
      return compare(backend);
    }
  }

  private List<DecodeTree> trees() {
    List<DecodeTree> trees = new ArrayList<>();
    if (forest) {
      trees.add(DecodeTree.forest(ColdAttention.CHUNK));
    }
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < ragged; i++) {
      trees.add(DecodeTree.ragged("ragged " + i, random, ColdAttention.CHUNK));
    }
    return trees;
  }

  private int compare(Backend backend) throws IOException {
    List<Shape> list = shapes();
    Table table =
        new Table("hq,hkv,d,c,b,ns,nc", "two-phase", "sequence-first", "ratio", "GFLOP/s");
    KernelBench bench = new KernelBench(backend, rounds.count());
    bench.warmUp(list.getFirst().heads());
    for (Shape shape : list) {
      Result result = bench.measure(shape);
      if (json.wanted()) {
        context.console().out().println(Json.line(json(result)));
      } else {
        table.row(
            name(shape),
            micros(result.twoPhaseNanos()),
            micros(result.sequenceFirstNanos()),
            String.format(Locale.ROOT, "%.2f", result.ratio()),
            String.format(Locale.ROOT, "%.1f", result.gigaflopsPerSecond()));
      }
    }
    if (!json.wanted()) {
      context.console().out().print(table.text());
    }
    return 0;
  }

  /** The grid of the attention table, or the file's shapes; fp16 unless another type is given. */
  private List<Shape> deviceShapes() throws IOException {
    DType type = backendArguments.typeOr(DType.F16);
    return shapes == null ? ColdAttention.grid(type) : read(shapes, type);
  }

  private List<Shape> shapes() throws IOException {
    DType type = backendArguments.type();
    return shapes == null ? KernelBench.shapes(type) : read(shapes, type);
  }

  private static List<Shape> read(Path file, DType type) throws IOException {
    return Shapes.read(file, 7).stream().map(n -> shape(n, type)).toList();
  }

  private static Shape shape(int[] n, DType type) {
    if (n[4] < 1 || n[6] < 1) {
      throw new InvalidRequestException("batch and own tokens must be 1 or more");
    }
    return new Shape(new Heads(n[0], n[1], n[2], n[3], type), n[4], n[5], n[6]);
  }

  private static String name(Shape shape) {
    Heads h = shape.heads();
    return "%d,%d,%d,%d,%d,%d,%d"
        .formatted(
            h.queryHeads(),
            h.kvHeads(),
            h.headDim(),
            h.chunkTokens(),
            shape.batch(),
            shape.shared(),
            shape.own());
  }

  private static String micros(double nanos) {
    return String.format(Locale.ROOT, "%,.0f us", nanos / 1000);
  }

  private static Map<String, Object> json(Result result) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("shape", name(result.shape()));
    json.put("kv_type", result.shape().heads().type().name());
    json.put("two_phase_us", result.twoPhaseNanos() / 1000);
    json.put("sequence_first_us", result.sequenceFirstNanos() / 1000);
    json.put("ratio", result.ratio());
    json.put("gflops_per_s", result.gigaflopsPerSecond());
    return json;
  }
}
