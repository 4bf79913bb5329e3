package org.chunkllama.contract;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.RotaryTable;
import org.chunkllama.spi.RotaryTable.Layout;
import org.chunkllama.spi.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * {@link Backend#rotary}: both layouts, part of a head, positions in any order; and with {@link
 * Backend#rotaryAppend} at once.
 */
public abstract class RotaryContract extends BackendContract {
  private static final int POSITIONS = 300;

  /** For the test of a backend. */
  protected RotaryContract() {}

  private static RotaryTable table(int rotatedDim, Layout layout) {
    int half = rotatedDim / 2;
    float[] cos = new float[POSITIONS * half];
    float[] sin = new float[POSITIONS * half];
    for (int p = 0; p < POSITIONS; p++) {
      for (int i = 0; i < half; i++) {
        double angle = p * Math.pow(10_000, -2.0 * i / rotatedDim);
        cos[p * half + i] = (float) Math.cos(angle);
        sin[p * half + i] = (float) Math.sin(angle);
      }
    }
    return new RotaryTable(cos, sin, POSITIONS, rotatedDim, layout);
  }

  @ParameterizedTest
  @CsvSource({"2,2", "64,64", "80,80", "96,96", "128,128", "256,256", "96,32", "80,30", "6,6"})
  void rotatesItsHeadsAlone(int headDim, int rotatedDim) {
    for (Layout layout : Layout.values()) {
      for (int rows : new int[] {1, 3, 40}) {
        check(headDim, table(rotatedDim, layout), rows);
      }
    }
  }

  private void check(int headDim, RotaryTable table, int rows) {
    SplittableRandom random = new SplittableRandom(headDim + rows);
    Backend backend = backend();
    int heads = 3;
    int firstColumn = 5;
    int columns = firstColumn + heads * headDim + 3;
    float[] in = Numbers.gaussian(random, (rows + 1) * columns);
    int[] positions = new int[rows + 2]; // longer than needed
    for (int r = 0; r < rows; r++) {
      positions[r] = random.nextInt(POSITIONS);
    }
    double[] expected = new double[in.length];
    for (int i = 0; i < in.length; i++) {
      expected[i] = in[i];
    }
    for (int r = 0; r < rows; r++) {
      for (int head = 0; head < heads; head++) {
        rotate(in, expected, r * columns + firstColumn + head * headDim, table, positions[r]);
      }
    }
    try (Tensor x = tensor(backend, rows + 1, columns, in)) {
      backend.rotary(x, rows, firstColumn, heads, headDim, table, positions);
      Numbers.assertClose(table.layout() + " of " + headDim, read(x), expected, 2e-6);
    }
  }

  private static void rotate(float[] in, double[] out, int at, RotaryTable table, int position) {
    int half = table.rotatedDim() / 2;
    for (int i = 0; i < half; i++) {
      int a = table.layout() == Layout.SPLIT_HALVES ? at + i : at + 2 * i;
      int b = table.layout() == Layout.SPLIT_HALVES ? at + half + i : at + 2 * i + 1;
      double cos = table.cos()[position * half + i];
      double sin = table.sin()[position * half + i];
      out[a] = in[a] * cos - in[b] * sin;
      out[b] = in[a] * sin + in[b] * cos;
    }
  }

  @ParameterizedTest
  @CsvSource({
    "64,64,F16,4", "64,64,BF16,1", "128,128,F16,1", "128,128,F32,2", "80,80,F16,2", "96,96,BF16,8",
    "256,256,F16,2", "80,80,F8,2", "128,128,F8,4", "256,256,I8,1", "96,96,I8,3", "64,64,I8,20",
    "128,32,F16,2", "72,72,F16,2", "6,6,BF16,3"
  })
  void rotatesAndAppendsAtOnce(int headDim, int rotatedDim, DType type, int group) {
    if (!backend().kvTypes().contains(type)) {
      return;
    }
    KvLayout kv = new KvLayout(2, 2, headDim, 16, type);
    double tolerance = type == DType.F32 ? 2e-5 : type.isEightBit() ? 2e-2 : 2e-3;
    for (Layout layout : Layout.values()) {
      RotaryTable table = table(rotatedDim, layout);
      SplittableRandom random = new SplittableRandom(headDim + group);
      float[] values = Numbers.gaussian(random, 40 * 2 * (group + 2) * headDim);
      float[] expected = attended(kv, group, table, values, false);
      double[] wide = new double[expected.length];
      Arrays.setAll(wide, i -> expected[i]);
      float[] actual = attended(kv, group, table, values, true);
      Numbers.assertClose(layout + " of " + kv, actual, wide, tolerance);
    }
  }

  /** Attention of two steps, each with a slice of two sequences. */
  private float[] attended(
      KvLayout kv, int group, RotaryTable table, float[] values, boolean atOnce) {
    Backend backend = backend();
    int queryHeads = group * kv.kvHeads();
    int width = queryHeads * kv.headDim();
    int columns = width + 2 * kv.kvHeads() * kv.headDim();
    AttentionPlanner planner = new AttentionPlanner(16, 1, queryHeads, kv.kvHeads(), true);
    float[] result = new float[2 * 40 * width];
    try (KvCache cache = backend.kvCache(kv, 5);
        Tensor qkv = backend.tensor(40, columns);
        Tensor out = backend.tensor(40, width)) {
      for (int step = 0; step < 2; step++) {
        planner.begin();
        planner.add(new int[] {3, 0, 4}, step * 17, step == 0 ? 17 : 23);
        planner.add(new int[] {2, 1}, step * 23, step == 0 ? 23 : 1);
        AttentionPlan plan = planner.finish();
        for (int row = 0; row < plan.rows; row++) {
          qkv.write(row, values, row * columns);
        }
        append(backend, cache, qkv, queryHeads, table, plan, atOnce);
        backend.attention(cache, 1, qkv, queryHeads, 0.1f, plan, out);
        for (int row = 0; row < plan.rows; row++) {
          out.read(row, result, (step * 40 + row) * width);
        }
      }
    }
    return result;
  }

  private static void append(
      Backend backend,
      KvCache cache,
      Tensor qkv,
      int queryHeads,
      RotaryTable table,
      AttentionPlan plan,
      boolean atOnce) {
    KvLayout kv = cache.layout();
    int[] positions = plan.rowPosition;
    if (atOnce) {
      backend.rotaryAppend(cache, 1, qkv, queryHeads, table, positions, plan);
    } else {
      int heads = queryHeads + kv.kvHeads();
      backend.rotary(qkv, plan.rows, 0, heads, kv.headDim(), table, positions);
      backend.append(cache, 1, qkv, plan);
    }
  }

  @Test
  void queriesKeysAndValuesToRotateAreChecked() {
    Backend backend = backend();
    KvLayout kv = new KvLayout(1, 1, 64, 16, DType.F16);
    RotaryTable table = table(64, Layout.SPLIT_HALVES);
    AttentionPlanner planner = new AttentionPlanner(16, 1, 2, 1, true);
    planner.begin();
    planner.add(new int[] {0}, 0, 2);
    AttentionPlan plan = planner.finish();
    try (KvCache cache = backend.kvCache(kv, 1);
        Tensor narrow = backend.tensor(2, 192);
        Tensor qkv = backend.tensor(2, 256)) {
      assertThatThrownBy(
              () -> backend.rotaryAppend(cache, 0, narrow, 2, table, plan.rowPosition, plan))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(
              () -> backend.rotaryAppend(cache, 1, qkv, 2, table, plan.rowPosition, plan))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(
              () -> backend.rotaryAppend(cache, 0, qkv, 2, table, new int[] {0, POSITIONS}, plan))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void positionsOutsideTheTableAreRefused() {
    Backend backend = backend();
    RotaryTable table = table(64, Layout.SPLIT_HALVES);
    try (Tensor x = backend.tensor(1, 128)) {
      assertThatThrownBy(() -> backend.rotary(x, 1, 0, 2, 64, table, new int[] {POSITIONS}))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> backend.rotary(x, 1, 1, 2, 64, table, new int[] {0}))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
