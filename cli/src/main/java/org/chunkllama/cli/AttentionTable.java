package org.chunkllama.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.chunkllama.bench.AttentionWorkload.Heads;
import org.chunkllama.bench.ColdAttention;
import org.chunkllama.bench.ColdAttention.TreeTimes;
import org.chunkllama.bench.DecodeTree;
import org.chunkllama.bench.KernelBench.Shape;
import org.jspecify.annotations.Nullable;

/**
 * Times of decode attention beside the time to read all of K and V once, and beside FlashInfer's
 * best on an H100 where that is known.
 */
final class AttentionTable {
  private static final String COLUMNS = "hq,hkv,d,c,b,ns,nc";
  private static final int SMALL = 8; // smaller batches do not count for the mean

  private final PrintStream out;
  private final @Nullable Path csv;
  private final double bytesPerMicro;
  private final Map<String, Double> flashInfer = flashInfer();

  /** Prints to {@code out}, writes to {@code csv} too; {@code bandwidth} in TB/s. */
  AttentionTable(PrintStream out, @Nullable Path csv, double bandwidth) {
    this.out = out;
    this.csv = csv;
    this.bytesPerMicro = bandwidth * 1e6;
  }

  /** Measures and prints. */
  void print(ColdAttention bench, List<Shape> shapes) throws IOException {
    Table table = new Table(COLUMNS, "time_us", "floor_us", "ratio", "flashinfer_us", "to it");
    List<String> lines = new ArrayList<>(List.of(COLUMNS + ",time_us,floor_us"));
    double logs = 0;
    int counted = 0;
    for (Shape shape : shapes) {
      double time = bench.micros(shape);
      double floor = ColdAttention.bytes(shape) / bytesPerMicro;
      Double best = flashInfer.get(key(shape));
      table.row(
          name(shape),
          number("%.2f", time),
          number("%.2f", floor),
          number("%.2f", time / floor),
          best == null ? "-" : number("%.1f", best),
          best == null ? "-" : number("%.2f", time / best));
      lines.add(name(shape) + number(",%.3f", time) + number(",%.3f", floor));
      if (shape.shared() > 0 && shape.batch() >= SMALL) {
        logs += Math.log(time / floor);
        counted++;
      }
    }
    out.print(table.text());
    if (counted > 0) {
      out.printf(
          Locale.ROOT,
          "geometric mean of time/floor where ns > 0 and b >= %d: %.3f over %d rows%n",
          SMALL,
          Math.exp(logs / counted),
          counted);
    }
    if (csv != null) {
      Files.write(csv, lines);
    }
  }

  /** Measures what planning a step takes on the host, and prints. */
  void printHost(ColdAttention bench, List<Heads> heads) {
    for (Heads h : heads) {
      out.printf(
          Locale.ROOT,
          "%s, batch 128: the host takes %.1f us a step for the plan and its way to the GPU%n",
          name(h),
          bench.hostMicros(h));
    }
  }

  /** Measures trees with sharing and without, and prints. */
  void printTrees(ColdAttention bench, List<Heads> heads, List<DecodeTree> trees)
      throws IOException {
    Table table =
        new Table(
            "hq,hkv,d,c,tree",
            "sequences",
            "shared_us",
            "unshared_us",
            "to it",
            "floor_us",
            "ratio");
    List<String> lines =
        new ArrayList<>(List.of("hq,hkv,d,c,tree,sequences,shared_us,unshared_us,floor_us"));
    double logs = 0;
    double worst = 0;
    for (DecodeTree tree : trees) {
      for (Heads h : heads) {
        TreeTimes times = bench.times(h, tree);
        double floor = ColdAttention.bytes(h, tree) / bytesPerMicro;
        double toUnshared = times.shared() / times.unshared();
        String name = name(h) + "," + tree.name();
        table.row(
            name,
            Integer.toString(tree.sequences()),
            number("%.2f", times.shared()),
            number("%.2f", times.unshared()),
            number("%.2f", toUnshared),
            number("%.2f", floor),
            number("%.2f", times.shared() / floor));
        lines.add(
            name
                + ","
                + tree.sequences()
                + number(",%.3f", times.shared())
                + number(",%.3f", times.unshared())
                + number(",%.3f", floor));
        logs += Math.log(toUnshared);
        worst = Math.max(worst, toUnshared);
      }
    }
    out.print(table.text());
    int rows = trees.size() * heads.size();
    out.printf(
        Locale.ROOT,
        "shared to unshared: geometric mean %.3f, worst %.3f over %d rows%n",
        Math.exp(logs / rows),
        worst,
        rows);
    if (csv != null) {
      Files.write(csv, lines);
    }
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }

  private static String name(Heads h) {
    return "%d,%d,%d,%d".formatted(h.queryHeads(), h.kvHeads(), h.headDim(), h.chunkTokens());
  }

  private static String name(Shape shape) {
    return name(shape.heads()) + ",%d,%d,%d".formatted(shape.batch(), shape.shared(), shape.own());
  }

  /** FlashInfer's table holds head dim 128 alone. */
  private static String key(Shape shape) {
    Heads h = shape.heads();
    return "%d,%d,%d,%d,%d"
        .formatted(
            h.queryHeads(),
            h.headDim() == 128 ? h.kvHeads() : 0,
            shape.batch(),
            shape.shared(),
            shape.own());
  }

  private static Map<String, Double> flashInfer() {
    Map<String, Double> best = new HashMap<>();
    try (InputStream in =
            Objects.requireNonNull(
                AttentionTable.class.getResourceAsStream("flashinfer-h100.csv"));
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      lines
          .lines()
          .skip(1)
          .map(line -> line.split(",", -1))
          .forEach(n -> best.put(String.join(",", List.of(n).subList(0, 5)), Double.valueOf(n[6])));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return best;
  }
}
