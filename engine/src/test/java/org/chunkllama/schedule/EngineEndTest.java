package org.chunkllama.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.chunkllama.schedule.EngineFixture.alone;
import static org.chunkllama.schedule.EngineFixture.options;
import static org.chunkllama.schedule.EngineFixture.prompt;

import java.util.List;
import org.chunkllama.sample.FinishReason;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.sample.SamplingOptions;
import org.junit.jupiter.api.Test;

/** How completions end: stop strings, stop ids, end of sequence, limits, cancel. */
class EngineEndTest {
  private static final int[] PROMPT = prompt(12, 25);
  private static final GenerationOptions LONG =
      options(40).withSampling(SamplingOptions.temperature(1).withSeed(7));

  private static List<Integer> free() {
    return alone(List.of(PROMPT), LONG).getFirst();
  }

  private static String spell(List<Integer> tokens) {
    return new LetterTokenizer(64, List.of()).decode(tokens.stream().mapToInt(i -> i).toArray());
  }

  private static Recorder run(GenerationOptions options, List<Integer> eosIds) {
    try (EngineFixture fixture =
        new EngineFixture(400, EngineFixture.limits(64), new LetterTokenizer(64, eosIds))) {
      Recorder recorder = fixture.submit(PROMPT, options);
      fixture.run();
      return recorder;
    }
  }

  @Test
  void stopStringAcrossTokens() {
    List<Integer> free = free();
    String text = spell(free);
    String stop = text.substring(11, 16); // at least three tokens of one or two letters
    int at = text.indexOf(stop);
    Recorder recorder = run(LONG.withStop("never", stop), List.of());
    assertThat(recorder.text()).isEqualTo(text.substring(0, at));
    assertThat(recorder.reasons).containsEntry(0, FinishReason.STOP);
    assertThat(recorder.stoppedBy).containsEntry(0, stop);
    assertThat(free.subList(0, recorder.tokens().size())).isEqualTo(recorder.tokens());
    assertThat(spell(recorder.tokens())).contains(stop);
  }

  @Test
  void textHeldBackForAStopThatNeverComesIsShown() {
    String text = spell(free());
    String almost = text.substring(text.length() - 2) + "!";
    Recorder recorder = run(LONG.withStop(almost), List.of());
    assertThat(recorder.text()).isEqualTo(text);
    assertThat(recorder.reasons).containsEntry(0, FinishReason.LENGTH);
  }

  @Test
  void endOfSequenceAndStopIdsEndIt() {
    List<Integer> free = free();
    int id = free.get(9);
    int first = free.indexOf(id);
    for (Recorder recorder :
        List.of(run(LONG, List.of(id)), run(LONG.withStopIds(List.of(id)), List.of()))) {
      assertThat(recorder.tokens()).isEqualTo(free.subList(0, first + 1));
      assertThat(recorder.text()).isEqualTo(spell(free.subList(0, first)));
      assertThat(recorder.reasons).containsEntry(0, FinishReason.STOP);
    }
    assertThat(run(LONG.withIgnoreEos(true), List.of(id)).tokens()).isEqualTo(free);
  }

  @Test
  void noEndBeforeTheMinimum() {
    List<Integer> free = free();
    int id = free.get(3);
    Recorder recorder = run(LONG.withMinTokens(15).withStopIds(List.of(id)), List.of());
    assertThat(recorder.tokens().size()).isGreaterThanOrEqualTo(15);
    assertThat(recorder.tokens().subList(0, 15)).doesNotContain(id);
    String stop = spell(free.subList(2, 4));
    Recorder strings = run(LONG.withMinTokens(15).withStop(stop), List.of());
    assertThat(strings.tokens().size()).isGreaterThanOrEqualTo(15);
  }

  @Test
  void cancelFreesWithinAStep() {
    try (EngineFixture fixture = new EngineFixture()) {
      Recorder running = fixture.submit(PROMPT, options(100));
      long id = fixture.lastId();
      fixture.step(5);
      Recorder other = fixture.submit(prompt(1, 9), options(4));
      fixture.engine.cancel(id);
      assertThat(running.done).isTrue();
      assertThat(running.reasons).containsEntry(0, FinishReason.CANCELLED);
      assertThat(running.tokens()).hasSize(5);
      fixture.engine.cancel(id); // again: nothing happens
      fixture.run();
      assertThat(other.tokens()).hasSize(4);
    }
  }

  @Test
  void cancelAtEveryStage() {
    for (int stage = 0; stage < 6; stage++) {
      try (EngineFixture fixture = new EngineFixture()) {
        Recorder first = fixture.submit(prompt(3, 150), options(5).withN(2));
        long id = fixture.lastId();
        Recorder twin = fixture.submit(prompt(3, 150), options(5));
        Recorder beams = fixture.submit(prompt(3, 150), options(5).withBeams(3).withN(3));
        long beamsId = fixture.lastId();
        fixture.step(stage); // 0: waiting, 1 and 2: half a prompt, then decoding
        fixture.engine.cancel(id);
        fixture.engine.cancel(beamsId);
        fixture.engine.check();
        fixture.run();
        assertThat(first.done).isTrue();
        assertThat(beams.done).isTrue();
        assertThat(twin.tokens()).isEqualTo(alone(List.of(prompt(3, 150)), options(5)).getFirst());
        assertThat(fixture.engine.stats().promptTokensComputed()).isEqualTo(150);
      }
    }
  }
}
