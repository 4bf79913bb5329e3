package org.chunkllama.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.chunkllama.schedule.EngineFixture.alone;
import static org.chunkllama.schedule.EngineFixture.join;
import static org.chunkllama.schedule.EngineFixture.options;
import static org.chunkllama.schedule.EngineFixture.prompt;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.chunkllama.error.ContextLengthException;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.sample.FinishReason;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.sample.SamplingOptions;
import org.junit.jupiter.api.Test;

/** Requests together give what they give alone; work is shared and counted. */
class EngineTest {
  /** Prompts with one beginning, with nested beginnings, with none in common. */
  private static List<int[]> forest() {
    List<int[]> prompts = new ArrayList<>();
    int[] system = prompt(1, 70);
    int[] deeper = join(system, prompt(2, 23));
    for (int i = 0; i < 4; i++) {
      prompts.add(join(system, prompt(10 + i, 3 + 7 * i)));
      prompts.add(join(deeper, prompt(20 + i, 1 + 5 * i)));
      prompts.add(prompt(30 + i, 5 + 40 * i));
    }
    prompts.add(system);
    prompts.add(deeper);
    return prompts;
  }

  @Test
  void togetherAndCachedEqualsAlone() {
    List<int[]> prompts = forest();
    List<List<Integer>> expected = alone(prompts, options(24));
    try (EngineFixture fixture = new EngineFixture()) {
      for (int round = 0; round < 2; round++) { // the second finds everything cached
        List<Recorder> recorders =
            prompts.stream().map(p -> fixture.submit(p, options(24))).toList();
        fixture.run();
        for (int i = 0; i < prompts.size(); i++) {
          assertThat(recorders.get(i).tokens()).as("prompt " + i).isEqualTo(expected.get(i));
          assertThat(recorders.get(i).done).isTrue();
        }
      }
      assertThat(fixture.engine.stats().promptTokensReused())
          .isGreaterThan(IntStream.range(0, prompts.size()).map(i -> prompts.get(i).length).sum());
    }
  }

  @Test
  void arrivingOneByOneEqualsAlone() {
    List<int[]> prompts = forest();
    List<List<Integer>> expected = alone(prompts, options(24));
    try (EngineFixture fixture = new EngineFixture()) {
      List<Recorder> recorders = new ArrayList<>();
      for (int[] prompt : prompts) {
        recorders.add(fixture.submit(prompt, options(24)));
        fixture.step(1 + recorders.size() % 3);
      }
      fixture.run();
      for (int i = 0; i < prompts.size(); i++) {
        assertThat(recorders.get(i).tokens()).as("prompt " + i).isEqualTo(expected.get(i));
      }
    }
  }

  @Test
  void withoutSharingTokensAreTheSame() {
    List<int[]> prompts = forest();
    List<List<Integer>> expected = alone(prompts, options(12));
    try (EngineFixture fixture = new EngineFixture(400, new EngineLimits(256, 64, 64, false))) {
      List<Recorder> recorders =
          prompts.stream().map(p -> fixture.submit(p, options(12).withN(2))).toList();
      fixture.run();
      int tokens = 0;
      for (int i = 0; i < prompts.size(); i++) {
        assertThat(recorders.get(i).tokens.get(0)).isEqualTo(expected.get(i));
        assertThat(recorders.get(i).tokens.get(1)).isEqualTo(expected.get(i));
        tokens += prompts.get(i).length;
      }
      assertThat(fixture.engine.stats().promptTokensComputed()).isEqualTo(tokens);
      assertThat(fixture.engine.stats().promptTokensReused()).isZero();
    }
  }

  @Test
  void identicalPromptsAreComputedOnce() {
    int[] prompt = prompt(5, 150); // three steps of 64 rows
    List<Integer> expected = alone(List.of(prompt), options(10)).getFirst();
    try (EngineFixture fixture = new EngineFixture()) {
      List<Recorder> recorders =
          IntStream.range(0, 32).mapToObj(_ -> fixture.submit(prompt, options(10))).toList();
      fixture.run();
      recorders.forEach(r -> assertThat(r.tokens()).isEqualTo(expected));
      EngineStats stats = fixture.engine.stats();
      assertThat(stats.promptTokensComputed()).isEqualTo(150);
      assertThat(stats.promptTokensReused()).isEqualTo(31 * 150);
      assertThat(stats.generatedTokens()).isEqualTo(320);
      assertThat(stats.prefix().chunksLivePeak())
          .isLessThan(stats.prefix().chunksLivePeakUnshared() / 4);
    }
  }

  @Test
  void identicalPromptsWhileThePromptIsComputed() {
    int[] prompt = prompt(5, 150);
    try (EngineFixture fixture = new EngineFixture()) {
      fixture.submit(prompt, options(10));
      fixture.step(1);
      Recorder late = fixture.submit(prompt, options(10));
      fixture.run();
      assertThat(late.tokens()).hasSize(10);
      assertThat(late.cached).isEqualTo(150);
      assertThat(fixture.engine.stats().promptTokensComputed()).isEqualTo(150);
    }
  }

  @Test
  void aPrefixUnderWayIsWaitedFor() {
    int[] system = prompt(6, 144); // after two steps of 64 rows 16 are left to wait for
    try (EngineFixture fixture = new EngineFixture()) {
      int own = 0;
      for (int i = 0; i < 8; i++) {
        int[] tail = prompt(60 + i, 4 + i);
        own += tail.length;
        fixture.submit(join(system, tail), options(5));
      }
      fixture.run();
      EngineStats stats = fixture.engine.stats();
      assertThat(stats.promptTokensComputed()).isEqualTo(144 + own);
      assertThat(stats.promptTokensReused()).isEqualTo(7 * 144);
    }
  }

  @Test
  void aFewTokensUnderWayAreNotWaitedFor() {
    int[] head = prompt(6, 3);
    try (EngineFixture fixture = new EngineFixture()) {
      fixture.submit(join(head, prompt(61, 10)), options(5));
      fixture.submit(join(head, prompt(62, 10)), options(5));
      fixture.step(1);
      assertThat(fixture.engine.stats().running()).isEqualTo(2);
      fixture.run();
    }
  }

  @Test
  void sameTokensUnderAnotherSaltAreNotShared() {
    int[] prompt = prompt(5, 50);
    try (EngineFixture fixture = new EngineFixture()) {
      Recorder a = fixture.submit(prompt, options(5), "a", new Recorder());
      Recorder b = fixture.submit(prompt, options(5), "b", new Recorder());
      fixture.run();
      assertThat(b.tokens()).isEqualTo(a.tokens());
      assertThat(fixture.engine.stats().promptTokensComputed()).isEqualTo(100);
    }
  }

  @Test
  void severalCompletionsForkFromOnePrompt() {
    int[] prompt = prompt(8, 37);
    GenerationOptions drawn =
        options(20).withN(5).withSampling(SamplingOptions.temperature(1).withSeed(99));
    try (EngineFixture fixture = new EngineFixture()) {
      Recorder recorder = fixture.submit(prompt, drawn);
      Recorder greedy = fixture.submit(prompt, options(20).withN(3));
      fixture.run();
      assertThat(recorder.tokens).hasSize(5);
      assertThat(recorder.tokens.values().stream().distinct()).hasSize(5);
      assertThat(greedy.tokens.values().stream().distinct()).hasSize(1);
      assertThat(greedy.reasons.values()).containsOnly(FinishReason.LENGTH);
      assertThat(fixture.engine.stats().promptTokensComputed()).isEqualTo(37);
    }
  }

  @Test
  void seedsDrawTheSameWhateverElseRuns() {
    int[] prompt = prompt(9, 33);
    GenerationOptions drawn =
        options(30).withSampling(SamplingOptions.temperature(0.9).withTopP(0.9).withSeed(1234));
    List<Integer> expected = alone(List.of(prompt), drawn).getFirst();
    try (EngineFixture fixture = new EngineFixture()) {
      for (int i = 0; i < 9; i++) {
        fixture.submit(prompt(i, 20 + i), options(25).withSampling(SamplingOptions.temperature(1)));
      }
      fixture.step(3);
      Recorder recorder = fixture.submit(prompt, drawn);
      fixture.run();
      assertThat(recorder.tokens()).isEqualTo(expected);
    }
    List<Integer> other =
        alone(List.of(prompt), drawn.withSampling(drawn.sampling().withSeed(4321))).getFirst();
    assertThat(other).isNotEqualTo(expected);
  }

  @Test
  void logprobsOfGreedyTokensAreTheBest() {
    try (EngineFixture fixture = new EngineFixture()) {
      Recorder recorder = fixture.submit(prompt(3, 20), options(6).withLogprobs(3));
      fixture.run();
      assertThat(recorder.logprobs).hasSize(6);
      recorder.logprobs.forEach(l -> {
        assertThat(l.top()).hasSize(3);
        assertThat(l.top().getFirst().token()).isEqualTo(l.token());
        assertThat(l.top().getFirst().logprob()).isEqualTo(l.logprob());
      });
      assertThat(recorder.tokens()).isEqualTo(alone(List.of(prompt(3, 20)), options(6)).getFirst());
    }
  }

  @Test
  void promptThatFillsTheContextIsRefusedBeforeAnythingIsTaken() {
    try (EngineFixture fixture = new EngineFixture()) {
      Recorder recorder = fixture.submit(prompt(3, 256), options(1));
      assertThat(recorder.error)
          .isInstanceOf(ContextLengthException.class)
          .hasMessage("the prompt has 256 tokens, the context is 256; shorten it to 255 or less");
      assertThat(fixture.engine.stats().chunksFree()).isEqualTo(400);
      Recorder fits = fixture.submit(prompt(3, 255), options(10));
      fixture.run();
      assertThat(fits.tokens()).hasSize(1); // the context ends it
      assertThat(fits.reasons).containsEntry(0, FinishReason.LENGTH);
    }
  }

  @Test
  void promptsThatMakeNoSenseAreRefused() {
    try (EngineFixture fixture = new EngineFixture()) {
      assertThat(fixture.submit(new int[0], options(1)).error)
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("empty");
      assertThat(fixture.submit(new int[] {3, 64}, options(1)).error)
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("token id 64");
      assertThat(fixture.submit(new int[] {3}, options(1).withN(65)).error)
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("at most 64");
      assertThat(fixture.engine.isIdle()).isTrue();
    }
  }

  @Test
  void aHeldPrefixStaysWarm() {
    int[] system = prompt(4, 100);
    try (EngineFixture fixture = new EngineFixture(20, EngineFixture.limits(64))) {
      List<org.chunkllama.prefix.Pin> pins = new ArrayList<>();
      EngineRequest request = new EngineRequest(system, options(1), "", true, new Recorder());
      Ticket ticket = Ticket.take(fixture.engine.tenants(), request, () -> {});
      fixture.engine.hold(1000, request, ticket, 0, pins::add);
      fixture.run();
      assertThat(pins).hasSize(1);
      assertThat(pins.getFirst().tokens()).isEqualTo(96);
      fixture.submit(prompt(77, 180), options(30)); // evicts all that is not pinned
      fixture.run();
      Recorder recorder = fixture.submit(join(system, prompt(5, 9)), options(5));
      fixture.run();
      assertThat(recorder.cached).isGreaterThanOrEqualTo(96);
      pins.getFirst().close();
      fixture.submit(prompt(78, 230), options(20));
      fixture.run();
      assertThat(fixture.submit(join(system, prompt(5, 9)), options(1)).cached).isEqualTo(-1);
      fixture.run();
    }
  }
}
