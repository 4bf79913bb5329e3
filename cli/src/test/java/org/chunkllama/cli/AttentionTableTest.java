package org.chunkllama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.chunkllama.bench.AttentionWorkload.Heads;
import org.chunkllama.bench.ColdAttention;
import org.chunkllama.bench.DecodeTree;
import org.chunkllama.bench.KernelBench.Shape;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.Backends;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.GraphTimer;
import org.chunkllama.spi.KvCache;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The table over the reference backend, by a clock that takes a microsecond for each layer. */
class AttentionTableTest {
  private static final Heads HEADS = new Heads(2, 1, 16, 16, DType.F16);

  /** A launch takes a microsecond for each segment. */
  private static final class Clock implements GraphTimer {
    @Override
    public double medianMicros(KvCache cache, AttentionPlan plan, int rounds, Runnable operations) {
      return plan.segments * (double) cache.layout().layers();
    }

    @Override
    public void send(KvCache cache, AttentionPlan plan) {}
  }

  @TempDir private Path folder;
  private final Backend backend = Backends.open("reference", BackendOptions.defaults());
  private final ColdAttention bench = new ColdAttention(backend, new Clock(), 1);
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

  @AfterEach
  void close() {
    backend.close();
  }

  private AttentionTable table(Path csv) {
    // 1e-6 TB/s: a byte takes a microsecond
    return new AttentionTable(new PrintStream(printed, true, StandardCharsets.UTF_8), csv, 1e-6);
  }

  @Test
  void ratiosAndTheirMean() throws IOException {
    Path csv = folder.resolve("table.csv");
    Shape shared = new Shape(HEADS, 8, 512, 16);
    Shape small = new Shape(HEADS, 1, 64, 16);
    table(csv).print(bench, List.of(shared, small));
    // 9 segments; K and V of 512 + 8 * 16 tokens are 64 bytes each
    assertThat(Files.readAllLines(csv))
        .containsExactly(
            "hq,hkv,d,c,b,ns,nc,time_us,floor_us",
            "2,1,16,16,8,512,16,9.000,40960.000",
            "2,1,16,16,1,64,16,1.000,5120.000");
    assertThat(printed.toString(StandardCharsets.UTF_8))
        .contains("| 2,1,16,16,8,512,16 |")
        .contains("mean of time/floor where ns > 0 and b >= 8: 0.000 over 1 rows");
  }

  @Test
  void treesStandBesideTheSameUnshared() throws IOException {
    Path csv = folder.resolve("trees.csv");
    int[][] paths = new int[8][33];
    for (int s = 0; s < paths.length; s++) {
      Arrays.setAll(paths[s], i -> i);
      paths[s][32] += s;
    }
    int[] lengths = new int[8];
    Arrays.fill(lengths, 33 * 16);
    DecodeTree tree = new DecodeTree("eight", 16, paths, lengths);
    table(csv).printTrees(bench, List.of(HEADS), List.of(tree));
    assertThat(Files.readAllLines(csv))
        .containsExactly(
            "hq,hkv,d,c,tree,sequences,shared_us,unshared_us,floor_us",
            "2,1,16,16,eight,8,9.000,8.000,40960.000");
    assertThat(printed.toString(StandardCharsets.UTF_8))
        .contains("| 2,1,16,16,eight |")
        .contains("shared to unshared: geometric mean 1.125, worst 1.125 over 1 rows");
  }
}
