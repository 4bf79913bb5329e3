package org.chunkllama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.chunkllama.prefix.TreeSnapshot;
import org.chunkllama.prefix.TreeSnapshot.Run;
import org.junit.jupiter.api.Test;

class TreeDrawingTest {
  private static final TreeSnapshot TREE =
      new TreeSnapshot(
          16,
          1000,
          993,
          5,
          2,
          List.of(
              new Run(-1, 0, "", 0, 32, 2, new long[] {12, 10, 11, 14}, true, false, ids(3)),
              new Run(0, 1, "", 32, 5, 1, new long[] {10}, false, false, ids(2)),
              new Run(0, 1, "", 32, 20, 2, new long[] {14}, false, true, ids(60)),
              new Run(-1, 0, "tenant", 0, 1, 1, new long[] {}, false, false, new int[0])));

  private static int[] ids(int count) {
    int[] ids = new int[count];
    Arrays.fill(ids, 'x');
    return ids;
  }

  private static String decode(int[] ids) {
    return Arrays.stream(ids).mapToObj(Character::toString).collect(Collectors.joining());
  }

  @Test
  void drawsRunsBelowTheirParents() {
    assertThat(new TreeDrawing(TREE, id -> id - 10, TreeDrawingTest::decode).draw())
        .isEqualTo(
            """
            chunks of 16 tokens: 5 live, 2 retained, 993 free
            ├─ 32 tokens in 2 chunks · shared by 4: #0-#2, #4 · pinned · "xxx"
            │  ├─ 5 tokens in 1 chunk · #0 · "xx"
            │  └─ 20 tokens in 2 chunks · #4 · being computed · "%s…"
            └─ 1 token in 1 chunk · retained · salt tenant
            """
                .formatted("x".repeat(40)));
  }

  @Test
  void givesTheSameAsData() {
    var json = new TreeDrawing(TREE, id -> id, TreeDrawingTest::decode).json();
    assertThat(json)
        .containsEntry("chunk_tokens", 16)
        .containsEntry("chunks_live", 5)
        .containsEntry("chunks_free", 993);
    assertThat((List<?>) json.get("runs")).hasSize(4);
    assertThat(Json.line(json)).contains("\"sequences\":[10,11,12,14]").contains("\"text\":\"xx\"");
  }
}
