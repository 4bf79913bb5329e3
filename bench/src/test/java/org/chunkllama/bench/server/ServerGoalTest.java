package org.chunkllama.bench.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class ServerGoalTest {
  private static LoadResult at(Target target, double rate, double ttft, double tpot, long kv) {
    return new LoadResult("x", target, rate, 24, 0, ttft, tpot, 50 * rate, rate, kv);
  }

  @Test
  void ratesCountWhileReadersNeedNotWait() {
    List<ServerGoal> goals =
        ServerGoal.ofRamp(
            "x",
            List.of(
                at(Target.CHUNKLLAMA, 1, 50, 10, 100),
                at(Target.UNSHARED, 1, 400, 30, 500),
                at(Target.VLLM, 1, 60, 40, 0),
                at(Target.CHUNKLLAMA, 2, 60, 20, 110),
                at(Target.UNSHARED, 2, 900, 120, 550),
                at(Target.VLLM, 2, 90, 100, 0),
                at(Target.CHUNKLLAMA, 4, 80, 60, 150),
                at(Target.CHUNKLLAMA, 8, 200, 130, 200)));
    assertThat(goals.get(0).value()).isEqualTo(4);
    assertThat(goals.get(0).verdict()).isEqualTo("aim");
    assertThat(goals.get(1).value()).isEqualTo(8);
    assertThat(goals.get(2).value()).isCloseTo(1 - 110 / 550.0, within(1e-9));
  }

  @Test
  void throughputIsTheMedianOfTheTurns() {
    List<ServerGoal> goals =
        ServerGoal.ofNothingShared(
            List.of(
                at(Target.CHUNKLLAMA, 1, 1, 1, 1),
                at(Target.CHUNKLLAMA, 3, 1, 1, 1),
                at(Target.CHUNKLLAMA, 2, 1, 1, 1),
                at(Target.VLLM, 2.5, 1, 1, 0),
                at(Target.UNSHARED, 2, 1, 1, 1)));
    assertThat(goals.get(0).value()).isCloseTo(0.8, within(1e-9));
    assertThat(goals.get(0).verdict()).isEqualTo("short");
    assertThat(goals.get(1).value()).isEqualTo(1);
  }

  @Test
  void whatWasNotMeasuredSaysSo() {
    assertThat(ServerGoal.ofNothingShared(List.of()).getFirst().verdict())
        .isEqualTo("not measured");
    assertThat(ServerGoal.of(new StepTimes(10, 10, 9, 0.6, 0.1)).verdict()).isEqualTo("aim");
    assertThat(ServerGoal.of(new StepTimes(10, 10, 8, 0.6, 0.1)).verdict()).isEqualTo("short");
  }
}
