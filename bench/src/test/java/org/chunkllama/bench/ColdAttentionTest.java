package org.chunkllama.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.chunkllama.bench.AttentionWorkload.Heads;
import org.chunkllama.bench.ColdAttention.TreeTimes;
import org.chunkllama.bench.KernelBench.Shape;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.Backends;
import org.chunkllama.spi.DType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** With the reference backend and a clock by hand. */
class ColdAttentionTest {
  private static final Heads SMALL = new Heads(2, 1, 16, 16, DType.F16);

  @SuppressWarnings("NullAway.Init") // set before all tests
  private static Backend backend;

  private final FakeTimer timer = new FakeTimer();
  private final ColdAttention bench = new ColdAttention(backend, timer, 3);

  @BeforeAll
  static void open() {
    backend = Backends.open("reference", BackendOptions.defaults());
  }

  @AfterAll
  static void close() {
    backend.close();
  }

  @Test
  void aLaunchIsOneOfMany() {
    // 512 copies of the small cache, one launch for each
    assertThat(bench.micros(new Shape(SMALL, 3, 32, 10))).isEqualTo(1000.0 / 512);
  }

  @Test
  void bytesCountEachTokenOnce() {
    assertThat(ColdAttention.bytes(new Shape(SMALL, 3, 32, 10))).isEqualTo(2L * (32 + 30) * 16 * 2);
    DecodeTree forest = DecodeTree.forest(64);
    long tokens = 4 * 1024 + 16 * 512 + 64 * 128;
    assertThat(ColdAttention.bytes(SMALL, forest)).isEqualTo(2 * tokens * 16 * 2);
  }

  @Test
  void theGridHoldsBothShapes() {
    assertThat(ColdAttention.grid(DType.F16)).hasSize(2 * 6 * 9).doesNotHaveDuplicates();
  }

  @Test
  void treesAreTimedWithSharingAndWithout() {
    int[][] paths = AttentionWorkload.paths(8, 512, 16, 16);
    int[] lengths = {528, 527, 526, 525, 524, 523, 522, 521};
    DecodeTree tree = new DecodeTree("eight", 16, paths, lengths);
    TreeTimes times = bench.times(SMALL, tree);
    assertThat(times).isEqualTo(new TreeTimes(1000.0 / 512, 1000.0 / 512));
    assertThat(timer.sharedSegments).as("the last plan").isZero();
    bench.micros(new Shape(SMALL, 8, 512, 10));
    assertThat(timer.sharedSegments).isPositive();
  }

  @Test
  void everyStepIsSent() {
    assertThat(bench.hostMicros(SMALL)).isPositive();
    assertThat(timer.sent).isEqualTo(128 * 16 * 200);
  }
}
