package org.chunkllama.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.chunkllama.schedule.EngineFixture.limits;
import static org.chunkllama.schedule.EngineFixture.options;
import static org.chunkllama.schedule.EngineFixture.prompt;

import java.util.List;
import org.chunkllama.sample.TokenLogprobs;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the host does while a device that queues its steps computes. */
class LookAheadTest {
  private static final LetterTokenizer TOKENIZER = new LetterTokenizer(64, List.of());

  private final QueueingBackend device = new QueueingBackend();

  private EngineFixture fixture(int chunks) {
    return new EngineFixture(chunks, limits(64), TOKENIZER, device.backend());
  }

  /** Writes down when it hears of a token. */
  private final class Noting extends Recorder {
    @Override
    public void token(int index, int token, String text, @Nullable TokenLogprobs logprobs) {
      device.events.add("token");
      super.token(index, token, text, logprobs);
    }
  }

  @Test
  void plansAndTellsBeforeItWaitsForTokens() {
    try (EngineFixture fixture = fixture(400)) {
      fixture.submit(prompt(1, 20), options(6), "", new Noting());
      fixture.step(1); // the prompt, and the first token
      assertThat(device.events).containsExactly("step", "start", "prepareStep", "finish");
      for (int i = 0; i < 4; i++) {
        device.events.clear();
        fixture.step(1);
        assertThat(device.events)
            .containsExactly("step", "start", "prepareStep", "token", "finish");
      }
      device.events.clear();
      fixture.step(1);
      assertThat(device.events)
          .as("the last is not followed by a step, and told at once")
          .containsExactly("step", "start", "token", "finish", "token");
      assertThat(fixture.engine.isIdle()).isTrue();
      assertThat(device.foreseen).isEqualTo(5);
    }
  }

  /** Sequences that begin chunks in different steps, in a pool with room or one that must evict. */
  @ParameterizedTest
  @CsvSource({"400,0", "60,30"})
  void stepsThatBeginChunksAreForeseen(int chunks, int before) {
    try (EngineFixture fixture = fixture(chunks)) {
      for (int i = 0; i < before; i++) { // leaves the pool full of what is retained
        fixture.submit(prompt(100 + i, 64), options(1));
      }
      fixture.run();
      int evicted = (int) fixture.engine.stats().prefix().chunksEvicted();
      List<Recorder> recorders =
          List.of(0, 1, 2, 3, 4).stream()
              .map(i -> fixture.submit(prompt(i, 3 + 5 * i), options(80)))
              .toList();
      fixture.step(2);
      device.steps = 0;
      device.foreseen = 0;
      fixture.run();
      assertThat(device.steps).isGreaterThan(75);
      assertThat(device.steps - device.foreseen).as("not foreseen").isLessThanOrEqualTo(1);
      recorders.forEach(r -> assertThat(r.tokens()).hasSize(80));
      if (before > 0) {
        assertThat(fixture.engine.stats().prefix().chunksEvicted() - evicted).isGreaterThan(20);
      }
    }
  }

  @Test
  void anIdleStepOwesNothing() {
    try (EngineFixture fixture = fixture(400)) {
      Recorder recorder = fixture.submit(prompt(1, 20), options(50));
      fixture.step(3);
      assertThat(recorder.tokens()).as("one waits for the next step").hasSize(2);
      fixture.engine.cancel(fixture.lastId());
      assertThat(recorder.tokens()).hasSize(3);
      assertThat(recorder.done).isTrue();
      fixture.engine.check();
      fixture.assertPoolWhole();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"step", "start", "prepareStep", "finish"})
  void aFaultFailsTheStepAndGivesEverythingBack(String at) {
    List<int[]> prompts = List.of(prompt(1, 40), prompt(2, 15), prompt(3, 5));
    List<List<Integer>> expected = EngineFixture.alone(prompts, options(30));
    try (EngineFixture fixture = fixture(400)) {
      for (int round = 0; round < 20; round++) {
        List<Recorder> lost = prompts.stream().map(p -> fixture.submit(p, options(30))).toList();
        fixture.step(2 + round);
        int drawn = (int) fixture.engine.stats().generatedTokens();
        device.faultAt = at;
        fixture.step(1);
        for (int i = 0; i < lost.size(); i++) {
          assertThat(lost.get(i).error).hasMessage("device fault at " + at);
          assertThat(lost.get(i).tokens())
              .as("told what was drawn")
              .isEqualTo(expected.get(i).subList(0, lost.get(i).tokens().size()));
        }
        assertThat(lost.stream().mapToInt(r -> r.tokens().size()).sum())
            .isEqualTo(drawn - 3 * 30 * round - before(round));
        fixture.assertPoolWhole();
        List<Recorder> again = prompts.stream().map(p -> fixture.submit(p, options(30))).toList();
        fixture.run();
        for (int i = 0; i < again.size(); i++) {
          assertThat(again.get(i).tokens()).isEqualTo(expected.get(i));
        }
      }
    }
  }

  /** Tokens of the lost rounds before this one: round r took 2 + r steps, a token each. */
  private static int before(int round) {
    int tokens = 0;
    for (int r = 0; r < round; r++) {
      tokens += 3 * (2 + r);
    }
    return tokens;
  }

  /** A listener that fails is heard of a step later; the others go on as if alone. */
  @Test
  void aListenerThatFailsLateTakesItsOwnAlone() {
    List<int[]> prompts = List.of(prompt(1, 40), prompt(2, 15), prompt(3, 5));
    List<List<Integer>> expected = EngineFixture.alone(prompts, options(30));
    for (int failing = 1; failing < 30; failing += 7) {
      int at = failing;
      try (EngineFixture fixture = fixture(400)) {
        Recorder faulty =
            new Recorder() {
              @Override
              public void token(int index, int token, String text, @Nullable TokenLogprobs l) {
                super.token(index, token, text, l);
                if (tokens().size() == at) {
                  throw new IllegalStateException("listener fault");
                }
              }
            };
        fixture.submit(prompts.get(1), options(30).withN(2), "", faulty);
        List<Recorder> others = prompts.stream().map(p -> fixture.submit(p, options(30))).toList();
        fixture.run();
        assertThat(faulty.error).hasMessage("listener fault");
        assertThat(faulty.tokens()).isEqualTo(expected.get(1).subList(0, at));
        for (int i = 0; i < others.size(); i++) {
          assertThat(others.get(i).tokens()).isEqualTo(expected.get(i));
        }
      }
    }
  }
}
