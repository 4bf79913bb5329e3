package org.chunkllama.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** Lanes are cut as tools/cuda/planner.py cuts them, with which the kernel was measured. */
class LaneGoldensTest {
  @Test
  void sameRecordsInTheSameLanes() throws IOException {
    int number = 0;
    int merged = 0;
    for (JsonNode golden : goldens()) {
      AttentionPlan plan = plan(golden);
      int rows = Math.max(1, golden.get("rowCap").asInt() / golden.get("group").asInt());
      RecordTable table =
          new RecordTable(
              golden.get("lanes").asInt(),
              golden.get("group").asInt(),
              rows,
              CudaTuning.HEURISTIC,
              KvCosts.SIXTEEN);
      table.build(plan);
      String name = "case " + number++;
      assertThat(records(table, plan)).as(name).isEqualTo(lists(golden.get("records")));
      assertThat(waits(table)).as(name).isEqualTo(lists(golden.get("waits")));
      assertThat(table.partials).as(name).isEqualTo(golden.get("partials").asInt());
      merged += table.partials > 0 ? 1 : 0;
    }
    assertThat(merged).as("cases with merged rows").isGreaterThan(20);
  }

  private static JsonNode goldens() throws IOException {
    try (InputStream in =
        Objects.requireNonNull(LaneGoldensTest.class.getResourceAsStream("lanes.json"))) {
      return new ObjectMapper().readTree(in);
    }
  }

  private static AttentionPlan plan(JsonNode golden) {
    int kvHeads = golden.get("kvHeads").asInt();
    int units = golden.get("lanes").asInt() * kvHeads;
    AttentionPlanner planner =
        new AttentionPlanner(
            golden.get("chunk").asInt(),
            1,
            golden.get("group").asInt() * kvHeads,
            kvHeads,
            golden.get("sharing").asBoolean(),
            CudaTuning.HEURISTIC.planCosts(units, KvCosts.SIXTEEN));
    planner.begin();
    for (JsonNode sequence : golden.get("sequences")) {
      List<Integer> n = ints(sequence);
      planner.add(ids(n.subList(2, n.size())), n.get(0), n.get(1));
    }
    return planner.finish();
  }

  /** Ids of ranges: first, count, first, count, ... */
  private static int[] ids(List<Integer> ranges) {
    return IntStream.range(0, ranges.size() / 2)
        .flatMap(i -> IntStream.range(0, ranges.get(2 * i + 1)).map(k -> ranges.get(2 * i) + k))
        .toArray();
  }

  /** Lane, first row, rows, first token, flags, tokens, first chunk of each record. */
  private static List<List<Integer>> records(RecordTable table, AttentionPlan plan) {
    List<List<Integer>> found = new ArrayList<>();
    for (int place = 0; place < table.lengths.length; place++) {
      if (table.lengths[place] > 0) {
        int at = place * RecordTable.RECORD;
        int[] r = table.records;
        int chunk = plan.chunkIds[r[at + 5]];
        int lane = place / table.recordCap;
        found.add(
            List.of(lane, r[at], r[at + 1], r[at + 2], r[at + 3], table.lengths[place], chunk));
      }
    }
    return found;
  }

  /** Lane that waits, and lane and index of the record that it waits for. */
  private static List<List<Integer>> waits(RecordTable table) {
    List<List<Integer>> found = new ArrayList<>();
    for (int i = 0; i < table.slots.waits.length; i++) {
      int place = table.slots.waits[i];
      if (place >= 0) {
        int lane = i / table.slots.waitCap;
        found.add(List.of(lane, place / table.recordCap, place % table.recordCap));
      }
    }
    found.sort(
        Comparator.<List<Integer>>comparingInt(w -> w.get(0))
            .thenComparingInt(w -> w.get(1))
            .thenComparingInt(w -> w.get(2)));
    return found;
  }

  private static List<List<Integer>> lists(JsonNode lists) {
    return lists.valueStream().map(LaneGoldensTest::ints).toList();
  }

  private static List<Integer> ints(JsonNode list) {
    return list.valueStream().map(JsonNode::asInt).toList();
  }
}
