package org.chunkllama.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.chunkllama.schedule.EngineFixture.alone;
import static org.chunkllama.schedule.EngineFixture.join;
import static org.chunkllama.schedule.EngineFixture.limits;
import static org.chunkllama.schedule.EngineFixture.options;
import static org.chunkllama.schedule.EngineFixture.prompt;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.error.PoolExhaustedException;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.sample.SamplingOptions;
import org.junit.jupiter.api.Test;

/** Pools that are too small for what is asked: all finish with the same tokens, or say why not. */
class EngineRoomTest {
  private static List<int[]> prompts(int n) {
    List<int[]> prompts = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      prompts.add(prompt(100 + i, 10 + 9 * (i % 7)));
    }
    return prompts;
  }

  @Test
  void preemptedSequencesFinishWithTheSameTokens() {
    List<int[]> prompts = prompts(20);
    GenerationOptions drawn =
        options(60)
            .withSampling(SamplingOptions.temperature(0.8).withRepetitionPenalty(1.2).withSeed(5));
    List<List<Integer>> expected = alone(prompts, drawn);
    for (int chunks : new int[] {8, 11, 17}) { // the longest needs 8
      try (EngineFixture fixture = new EngineFixture(chunks, limits(32))) {
        List<Recorder> recorders = prompts.stream().map(p -> fixture.submit(p, drawn)).toList();
        fixture.run();
        for (int i = 0; i < prompts.size(); i++) {
          assertThat(recorders.get(i).error).isNull();
          assertThat(recorders.get(i).tokens()).as("prompt " + i).isEqualTo(expected.get(i));
        }
        EngineStats stats = fixture.engine.stats();
        assertThat(stats.preemptions()).isPositive();
        assertThat(stats.promptTokensComputed() + stats.promptTokensReused())
            .isEqualTo(prompts.stream().mapToLong(p -> p.length).sum());
      }
    }
  }

  @Test
  void forksAndBeamsSurvivePreemption() {
    int[] prompt = prompt(40, 20);
    GenerationOptions beams = options(40).withBeams(4).withN(2);
    GenerationOptions several =
        options(40).withN(4).withSampling(SamplingOptions.temperature(1).withSeed(3));
    Recorder expectedBeams;
    Recorder expectedSeveral;
    try (EngineFixture fixture = new EngineFixture()) {
      expectedBeams = fixture.submit(prompt, beams);
      expectedSeveral = fixture.submit(prompt, several);
      fixture.run();
    }
    int preempted = 0;
    for (int chunks = 13; chunks < 22; chunks++) {
      try (EngineFixture fixture = new EngineFixture(chunks, limits(32))) {
        Recorder a = fixture.submit(prompt, several);
        Recorder b = fixture.submit(prompt, beams);
        Recorder c = fixture.submit(prompt(41, 30), options(40));
        fixture.run();
        assertThat(a.tokens).isEqualTo(expectedSeveral.tokens);
        assertThat(b.tokens).isEqualTo(expectedBeams.tokens);
        assertThat(c.tokens()).hasSize(40);
        preempted += (int) fixture.engine.stats().preemptions();
      }
    }
    assertThat(preempted).isPositive();
  }

  /** One sibling waits, preempted, when the other ends and leaves nothing live. */
  @Test
  void aPreemptedSiblingGoesOnWhenTheLastLiveOneEnds() {
    int preempted = 0;
    for (int chunks = 6; chunks < 9; chunks++) {
      try (EngineFixture fixture = new EngineFixture(chunks, limits(32))) {
        Recorder recorder =
            fixture.submit(
                prompt(60, 20),
                options(60).withN(2).withSampling(SamplingOptions.temperature(1).withSeed(1)));
        fixture.run();
        assertThat(recorder.tokens.get(0)).hasSize(60);
        assertThat(recorder.tokens.get(1)).hasSize(60);
        preempted += (int) fixture.engine.stats().preemptions();
      }
    }
    assertThat(preempted).isPositive();
  }

  @Test
  void aSequenceThatCannotGrowAloneSaysSo() {
    try (EngineFixture fixture = new EngineFixture(3, limits(32))) {
      Recorder recorder = fixture.submit(prompt(1, 30), options(60));
      fixture.run();
      assertThat(recorder.error)
          .isInstanceOf(PoolExhaustedException.class)
          .hasMessage(
              "a sequence of 49 tokens needs 4 chunks of 16 tokens; the KV pool has 3: give it more"
                  + " memory");
      assertThat(recorder.tokens()).hasSize(19);
      Recorder next = fixture.submit(prompt(2, 30), options(10));
      fixture.run();
      assertThat(next.tokens()).hasSize(10);
    }
  }

  @Test
  void aPromptThatNeverFitsSaysSoAtOnce() {
    try (EngineFixture fixture = new EngineFixture(3, limits(32))) {
      assertThat(fixture.submit(prompt(1, 60), options(1)).error)
          .isInstanceOf(PoolExhaustedException.class)
          .hasMessageContaining("needs 4 chunks");
      assertThat(fixture.engine.isIdle()).isTrue();
    }
  }

  @Test
  void beamsThatCannotGrowAloneSaySo() {
    try (EngineFixture fixture = new EngineFixture(4, limits(32))) {
      Recorder recorder = fixture.submit(prompt(1, 30), options(60).withBeams(6));
      fixture.run();
      assertThat(recorder.error).isInstanceOf(PoolExhaustedException.class);
    }
  }

  @Test
  void nobodyWaitsForEver() {
    int[] system = prompt(50, 64);
    try (EngineFixture fixture = new EngineFixture(16, limits(32))) {
      fixture.submit(join(system, prompt(1, 3)), options(20));
      fixture.step(4);
      // needs nearly the whole pool; sharers of the running prefix keep coming
      Recorder big = fixture.submit(prompt(51, 200), options(4));
      int passed = 0;
      int i = 0;
      List<Recorder> small = new ArrayList<>();
      while (!big.done && i < 400) {
        small.add(fixture.submit(join(system, prompt(1000 + i++, 3)), options(12)));
        fixture.step(1);
      }
      assertThat(big.done).isTrue();
      for (Recorder recorder : small) {
        passed += recorder.done ? 1 : 0;
      }
      assertThat(passed)
          .isBetween(5, Admission.MOST_BYPASSES + 1); // sharers went ahead, not for ever
      fixture.run();
      small.forEach(r -> assertThat(r.tokens()).hasSize(12));
    }
  }

  @Test
  void moreRequestsThanSequences() {
    List<int[]> prompts = prompts(40);
    List<List<Integer>> expected = alone(prompts, options(6));
    try (EngineFixture fixture = new EngineFixture(400, new EngineLimits(256, 16, 5, true))) {
      List<Recorder> recorders = prompts.stream().map(p -> fixture.submit(p, options(6))).toList();
      while (!fixture.engine.isIdle()) {
        fixture.step(1);
        assertThat(fixture.engine.stats().running()).isLessThanOrEqualTo(5);
      }
      for (int i = 0; i < prompts.size(); i++) {
        assertThat(recorders.get(i).tokens()).isEqualTo(expected.get(i));
      }
    }
  }
}
