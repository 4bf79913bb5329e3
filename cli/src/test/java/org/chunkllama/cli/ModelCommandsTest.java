package org.chunkllama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Chat, tree, inspect and the offline benchmark on a real model, in this process. */
class ModelCommandsTest {
  @Test
  void chatObeysItsCommandsAndTellsWhatFails() {
    // This model has no chat template: each message fails, and the chat goes on.
    CommandRun run =
        CommandRun.withInput(
            """
            /help
            Once upon a time there was a dog.
            /stats
            /tree
            /reset
            /system Be brief.
            /dance
            /exit
            never read
            """,
            "chat",
            "--model",
            StoriesModel.path(),
            "--max-tokens",
            "12",
            "--chunk-size",
            "16");
    assertThat(run.status()).isZero();
    assertThat(run.out())
        .contains("/system TEXT")
        .contains("since start: prompt 0 tokens")
        .contains("chunks of 16 tokens: 0 live")
        .contains("Begun anew.")
        .contains("System prompt set.")
        .contains("No command /dance");
    assertThat(run.err()).containsOnlyOnce("no chat template");
  }

  @Test
  void treeShowsWhoSharesWhat() {
    String same = "Lily went to the big park and saw a red ball there. ".repeat(3);
    CommandRun run =
        CommandRun.of(
            "tree",
            "--model",
            StoriesModel.path(),
            "--raw",
            "--chunk-size",
            "16",
            "--json",
            same + "Tom",
            same + "Sue",
            same + "Max");
    assertThat(run.status()).isZero();
    JsonNode tree = run.jsonValue();
    JsonNode root = tree.get("runs").get(0);
    assertThat(root.get("sequences").toString()).isEqualTo("[0,1,2]");
    assertThat(root.get("parent").intValue()).isEqualTo(-1);
    assertThat(root.get("text").stringValue()).contains("Lily went");
    List<String> leaves =
        tree.get("runs")
            .valueStream()
            .filter(node -> node.get("sequences").size() == 1)
            .map(node -> node.get("sequences").get(0).toString())
            .distinct()
            .sorted()
            .toList();
    assertThat(leaves).containsExactly("0", "1", "2");
    CommandRun drawn =
        CommandRun.of(
            "tree",
            "--model",
            StoriesModel.path(),
            "--raw",
            "--chunk-size",
            "16",
            same + "Tom",
            same + "Sue");
    assertThat(drawn.out()).contains("shared by 2: #0-#1").contains("├─ ").contains("└─ ");
  }

  @Test
  void inspectTellsTheShape() {
    CommandRun run = CommandRun.of("inspect", StoriesModel.path(), "--json", "--tensors");
    assertThat(run.status()).isZero();
    JsonNode model = run.jsonValue();
    assertThat(model.get("layers").intValue()).isEqualTo(5);
    assertThat(model.get("kv_heads").intValue()).isEqualTo(4);
    assertThat(model.get("context").intValue()).isEqualTo(512);
    assertThat(model.get("rope_layout").stringValue()).isEqualTo("interleaved_pairs");
    assertThat(model.get("types").get("F32").get("tensors").intValue())
        .isEqualTo(model.get("tensors").size());
    assertThat(CommandRun.of("inspect", StoriesModel.path()).out())
        .contains("8 query, 4 key/value, 8 values each")
        .contains("SentencePiece");
  }

  @Test
  void offlineBenchmarkPrintsThePeersNames() {
    CommandRun run =
        CommandRun.of(
            "bench",
            "offline",
            "--model",
            StoriesModel.path(),
            "--json",
            "--prefix",
            "200",
            "--requests",
            "4",
            "--tail",
            "16",
            "--output",
            "8",
            "--single",
            "8");
    assertThat(run.status()).isZero();
    assertThat(run.json()).hasSize(2);
    for (JsonNode round : run.json()) {
      assertThat(round.propertyNames())
          .containsExactly(
              "engine",
              "prompt_tokens_per_s",
              "single_decode_tokens_per_s",
              "batch_short_tokens_per_s",
              "shared_cold_tokens_per_s",
              "shared_warm_tokens_per_s",
              "kv_bytes_peak",
              "kv_bytes_peak_unshared");
      assertThat(round.get("shared_warm_tokens_per_s").doubleValue()).isPositive();
      assertThat(round.get("kv_bytes_peak").longValue())
          .isLessThan(round.get("kv_bytes_peak_unshared").longValue());
    }
  }

  @Test
  void profileAccountsForTheTime() {
    CommandRun run =
        CommandRun.of(
            "bench",
            "profile",
            "--model",
            StoriesModel.path(),
            "--json",
            "--prefix",
            "200",
            "--requests",
            "4",
            "--output",
            "8",
            "--single",
            "8");
    assertThat(run.status()).isZero();
    assertThat(run.json()).hasSize(5);
    for (JsonNode workload : run.json()) {
      JsonNode parts = workload.get("seconds_by_operation");
      assertThat(parts.get("attention").doubleValue()).isPositive();
      assertThat(parts.get("linear: logits").doubleValue()).isPositive();
      assertThat(parts.valueStream().mapToDouble(JsonNode::doubleValue).sum())
          .isCloseTo(
              workload.get("seconds").doubleValue(), org.assertj.core.api.Assertions.within(1e-6));
    }
  }
}
