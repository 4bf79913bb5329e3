package org.chunkllama.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import java.util.stream.Collectors;
import org.chunkllama.bench.PeersBench.Engine;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

class PeersTest {
  private static final OfflineResult OURS = new OfflineResult(10, 20, 30, 400, 500.04, 7, 70);

  @Test
  void ourLineReadsAsThePeersDo() {
    String line = JsonMapper.builder().build().writeValueAsString(OURS.json());
    assertThat(line)
        .isEqualTo(
            "{\"engine\":\"chunkllama\",\"prompt_tokens_per_s\":10.0,"
                + "\"single_decode_tokens_per_s\":20.0,\"batch_short_tokens_per_s\":30.0,"
                + "\"shared_cold_tokens_per_s\":400.0,\"shared_warm_tokens_per_s\":500.0,"
                + "\"kv_bytes_peak\":7,\"kv_bytes_peak_unshared\":70}");
    assertThat(PeersBench.parse(line).orElseThrow())
        .containsOnlyKeys(OfflineResult.FIGURES)
        .containsEntry("shared_cold_tokens_per_s", 400.0);
  }

  @Test
  void whatElseAProcessPrintsIsNoFigure() {
    assertThat(PeersBench.parse("INFO 11-23 loading")).isEmpty();
    assertThat(PeersBench.parse("{broken")).isEmpty();
    assertThat(PeersBench.parse("{\"engine\": \"x\", \"prompt_tokens_per_s\": 3}")).isEmpty();
  }

  @Test
  void ratiosAreAgainstTheFasterWhereBothCount() {
    Map<String, Double> slow = figures(100);
    Map<String, Double> fast = figures(200);
    Map<Engine, Map<String, Double>> all =
        Map.of(Engine.CHUNKLLAMA, figures(400), Engine.VLLM, slow, Engine.LLAMA_CPP, fast);
    assertThat(PeerGoal.all()).hasSize(5);
    assertThat(PeerGoal.all().get(0).ratio(all)).isCloseTo(4, within(1e-9));
    assertThat(PeerGoal.all().get(1).ratio(all)).isCloseTo(2, within(1e-9));
    assertThat(PeerGoal.all().get(3).ratio(all)).isCloseTo(2, within(1e-9));
  }

  private static Map<String, Double> figures(double value) {
    return OfflineResult.FIGURES.stream().collect(Collectors.toMap(f -> f, _ -> value));
  }
}
