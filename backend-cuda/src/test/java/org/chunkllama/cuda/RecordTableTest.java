package org.chunkllama.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Records cover every token of every row once, whatever the lanes; partial slots are whole. */
class RecordTableTest {
  private static final int CHUNK = 32;
  private static final int GROUP = 4;
  private static final int ROWS_MAX = 16;

  /** Sequences of a tree of two levels, some decoding and some in a slice of prefill. */
  private record Sequences(int[][] paths, int[] first, int[] rows) {
    static Sequences random(SplittableRandom random) {
      int n = random.nextInt(1, 40);
      int[][] paths = new int[n][];
      int[] first = new int[n];
      int[] rows = new int[n];
      int next = 10_000;
      int root = random.nextInt(0, 30);
      for (int i = 0; i < n; i++) {
        int own = random.nextInt(1, 12);
        int branch = i / 7 * 8;
        paths[i] = new int[root + 8 + own];
        for (int c = 0; c < paths[i].length; c++) {
          paths[i][c] = c < root ? c : c < root + 8 ? 1000 + branch + c - root : next++;
        }
        rows[i] = random.nextInt(4) == 0 ? random.nextInt(1, 60) : 1;
        int end = (root + 8 + own) * CHUNK - random.nextInt(CHUNK);
        first[i] = Math.max(0, end - rows[i]);
      }
      return new Sequences(paths, first, rows);
    }

    AttentionPlan plan(AttentionPlanner planner) {
      planner.begin();
      for (int i = 0; i < paths.length; i++) {
        planner.add(paths[i], first[i], rows[i]);
      }
      return planner.finish();
    }

    void advance() {
      for (int i = 0; i < first.length; i++) {
        first[i] += 1;
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 16, 132})
  void everyTokenOnce(int lanes) {
    SplittableRandom random = new SplittableRandom(lanes);
    RecordTable table =
        new RecordTable(lanes, GROUP, ROWS_MAX, CudaTuning.HEURISTIC, KvCosts.SIXTEEN);
    for (int round = 0; round < 60; round++) {
      Sequences sequences = Sequences.random(random);
      AttentionPlanner planner = new AttentionPlanner(CHUNK, 1, 2 * GROUP, 2, round % 3 > 0);
      AttentionPlan plan = sequences.plan(planner);
      table.build(plan);
      check(table, plan, sequences);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4, 33})
  void lengthsAdvance(int lanes) {
    SplittableRandom random = new SplittableRandom(lanes);
    RecordTable table =
        new RecordTable(lanes, GROUP, ROWS_MAX, CudaTuning.HEURISTIC, KvCosts.SIXTEEN);
    AttentionPlanner planner = new AttentionPlanner(CHUNK, 1, 2 * GROUP, 2, true);
    Sequences sequences = Sequences.random(random);
    Arrays.fill(sequences.rows, 1);
    for (int i = 0; i < sequences.first.length; i++) {
      sequences.first[i] = (sequences.paths[i].length - 1) * CHUNK; // room for a chunk of steps
    }
    long version = sequences.plan(planner).version;
    table.build(sequences.plan(planner));
    for (int step = 1; step < CHUNK; step++) {
      sequences.advance();
      AttentionPlan plan = sequences.plan(planner);
      assertThat(plan.version).isEqualTo(version);
      table.advance(plan);
      check(table, plan, sequences);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4, 33})
  void growthKeepsTheCutsForAWhile(int lanes) {
    SplittableRandom random = new SplittableRandom(lanes);
    RecordTable table =
        new RecordTable(lanes, GROUP, ROWS_MAX, CudaTuning.HEURISTIC, KvCosts.SIXTEEN);
    AttentionPlanner planner = new AttentionPlanner(CHUNK, 1, 2 * GROUP, 2, true);
    int[][] paths = new int[12][16]; // 10 chunks in common, 6 of its own each
    int[] first = new int[12];
    int[] rows = new int[12];
    for (int i = 0; i < first.length; i++) {
      int own = 100 * (i + 1);
      Arrays.setAll(paths[i], c -> c < 10 ? c : own + c);
      first[i] = 10 * CHUNK + random.nextInt(3 * CHUNK); // each begins chunks at another time
      rows[i] = 1;
    }
    Sequences sequences = new Sequences(paths, first, rows);
    int kept = 0;
    int cut = 0;
    long version = -1;
    for (int step = 0; step < CHUNK; step++) {
      AttentionPlan plan = sequences.plan(planner);
      if (plan.version == version) {
        table.advance(plan);
      } else {
        table.build(plan);
        kept += table.cutsKept ? 1 : 0;
        cut += table.cutsKept ? 0 : 1;
        version = plan.version;
      }
      check(table, plan, sequences);
      sequences.advance();
      if (step % 20 == 19) { // one leaves, a shorter one comes
        first[random.nextInt(first.length)] = 10 * CHUNK;
      }
    }
    assertThat(cut).isPositive();
    assertThat(kept).isPositive();
  }

  private static void check(RecordTable table, AttentionPlan plan, Sequences sequences) {
    int[][] seen = new int[plan.rows][];
    for (int row = 0; row < plan.rows; row++) {
      seen[row] = new int[plan.rowPosition[row] + 1];
    }
    int[] slotOwner = new int[table.partials];
    Arrays.fill(slotOwner, -1);
    int[] direct = new int[plan.rows];
    for (int lane = 0; lane < table.lanes; lane++) {
      for (int i = 0; i < table.recordCap; i++) {
        int index = lane * table.recordCap + i;
        if (table.lengths[index] == 0) {
          break;
        }
        record(table, index, plan, sequences, seen, slotOwner, direct);
      }
    }
    for (int row = 0; row < plan.rows; row++) {
      assertThat(seen[row]).as("row %d of %d", row, plan.rows).containsOnly(1);
      int from = table.slots.rowPartialStart[row];
      int to = table.slots.rowPartialStart[row + 1];
      assertThat(direct[row]).isEqualTo(to > from ? 0 : 1);
      for (int s = from; s < to; s++) {
        assertThat(slotOwner[table.slots.rowPartial[s]]).isEqualTo(row);
        slotOwner[table.slots.rowPartial[s]] = -2; // listed once
        assertThat(s == from || firstToken(table, s - 1) < firstToken(table, s)).isTrue();
        assertThat(isWaitedFor(table, orderOf(table, s), orderOf(table, to - 1))).isTrue();
        int flags = table.records[orderOf(table, s) * RecordTable.RECORD + 3];
        assertThat(flags & (s == to - 1 ? 2 : 4)).isNotZero();
      }
    }
    assertThat(slotOwner).doesNotContain(-1);
    assertThat(table.slots.hasBareRows).isFalse();
  }

  /** Whether the lane of {@code owner} waits for the record, or works through it itself. */
  private static boolean isWaitedFor(RecordTable table, int record, int owner) {
    int lane = owner / table.recordCap;
    if (record / table.recordCap == lane) {
      return true;
    }
    for (int i = 0;
        i < table.slots.waitCap && table.slots.waits[lane * table.slots.waitCap + i] >= 0;
        i++) {
      if (table.slots.waits[lane * table.slots.waitCap + i] == record) {
        return (table.records[record * RecordTable.RECORD + 3] & 4) != 0;
      }
    }
    return false;
  }

  private static int firstToken(RecordTable table, int s) {
    return table.records[orderOf(table, s) * RecordTable.RECORD + 2];
  }

  /** Index of the record that leaves the {@code s}th listed state. */
  private static int orderOf(RecordTable table, int s) {
    for (int i = 0; i < table.lengths.length; i++) {
      int at = i * RecordTable.RECORD;
      int slot = table.records[at + 4];
      int mine = table.slots.rowPartial[s];
      if (table.lengths[i] > 0
          && slot >= 0
          && mine >= slot
          && mine < slot + table.records[at + 1]) {
        return i;
      }
    }
    throw new AssertionError("no record leaves state " + table.slots.rowPartial[s]);
  }

  private static void record(
      RecordTable table,
      int index,
      AttentionPlan plan,
      Sequences sequences,
      int[][] seen,
      int[] slotOwner,
      int[] direct) {
    int at = index * RecordTable.RECORD;
    int[] r = Arrays.copyOfRange(table.records, at, at + RecordTable.RECORD);
    int tokens = table.lengths[index];
    assertThat(r[1]).isBetween(1, ROWS_MAX);
    assertThat(r[2] % 16).isZero();
    for (int i = 0; i < 8 && r[5] + i < plan.chunkIdCount; i++) {
      assertThat(r[8 + i]).isEqualTo(plan.chunkIds[r[5] + i]);
    }
    for (int k = 0; k < r[1]; k++) {
      int row = r[0] + k;
      int visible = plan.rowPosition[row] + 1 - r[2];
      int count = (r[3] & 1) == 1 ? Math.min(tokens, visible) : tokens;
      assertThat(count).isPositive();
      int[] path = path(sequences, row);
      for (int t = r[2]; t < r[2] + count; t++) {
        seen[row][t]++;
        assertThat(plan.chunkIds[r[5] + t / CHUNK - r[2] / CHUNK]).isEqualTo(path[t / CHUNK]);
      }
      if (r[4] < 0) {
        direct[row]++;
      } else {
        assertThat(slotOwner[r[4] + k]).isEqualTo(-1);
        slotOwner[r[4] + k] = row;
      }
    }
  }

  private static int[] path(Sequences sequences, int row) {
    int s = 0;
    int first = 0;
    while (first + sequences.rows[s] <= row) {
      first += sequences.rows[s++];
    }
    return sequences.paths[s];
  }
}
