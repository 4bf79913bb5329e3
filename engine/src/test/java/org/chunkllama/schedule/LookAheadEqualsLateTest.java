package org.chunkllama.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.chunkllama.schedule.EngineFixture.join;
import static org.chunkllama.schedule.EngineFixture.options;
import static org.chunkllama.schedule.EngineFixture.prompt;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.chunkllama.guide.CompiledGuide;
import org.chunkllama.guide.Guide;
import org.chunkllama.guide.GuideCompiler;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.sample.SamplingOptions;
import org.chunkllama.spi.Backend;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Two engines side by side, one planning and telling while its device computes, one not: after each
 * step the same chunks are free, live and retained, and in the end the same was told.
 */
class LookAheadEqualsLateTest {
  private static final int STEPS = 3000;
  private static final LetterTokenizer TOKENIZER = new LetterTokenizer(64, List.of(63));
  private static final CompiledGuide GUIDE =
      new GuideCompiler(TOKENIZER).compile(Guide.regex("[A-F]{5,30}"));

  private static final class Side implements AutoCloseable {
    final EngineFixture fixture;
    final List<Recorder> recorders = new ArrayList<>();

    Side(int chunks, boolean sharing, Backend backend) {
      fixture =
          new EngineFixture(chunks, new EngineLimits(256, 32, 12, sharing), TOKENIZER, backend);
    }

    void send(EngineRequest request) {
      Recorder recorder = new Recorder();
      recorders.add(recorder);
      fixture.send(
          new EngineRequest(request.prompt(), request.options(), request.salt(), true, recorder)
              .withGuide(request.guide())
              .withTerms(request.terms()));
    }

    List<Object> accounts() {
      EngineStats s = fixture.engine.stats();
      return List.of(
          s.requests(),
          s.promptTokensComputed(),
          s.promptTokensReused(),
          s.recomputedTokens(),
          s.generatedTokens(),
          s.steps(),
          s.preemptions(),
          s.running(),
          s.waiting(),
          s.chunksFree(),
          s.chunksLive(),
          s.chunksRetained(),
          s.chunksShared(),
          s.sharedRows(),
          s.prefix());
    }

    @Override
    public void close() {
      fixture.close();
    }
  }

  private static EngineRequest request(SplittableRandom random) {
    int[] head = prompt(random.nextInt(3), 16 * random.nextInt(4) + random.nextInt(5));
    int[] prompt = join(head, prompt(random.nextInt(40), 1 + random.nextInt(20)));
    SamplingOptions drawn =
        SamplingOptions.temperature(1.2).withTopP(0.9).withSeed(random.nextInt(1000));
    GenerationOptions base = options(1 + random.nextInt(50)).withIgnoreEos(random.nextBoolean());
    GenerationOptions options =
        switch (random.nextInt(9)) {
          case 0, 1 -> base;
          case 2 -> base.withSampling(drawn).withN(2 + random.nextInt(3));
          case 3 -> base.withBeams(3).withN(2);
          case 4 -> base.withSampling(drawn).withStop("AB", "C");
          case 5 -> base.withSampling(drawn).withLogprobs(3);
          case 6 -> base.withSampling(drawn.withRepetitionPenalty(1.3)).withN(1).withBestOf(2);
          default -> base.withSampling(drawn);
        };
    boolean guided = options.beams() <= 1 && random.nextInt(6) == 0;
    String salt = random.nextInt(5) == 0 ? "other" : "";
    Terms terms = new Terms("", random.nextInt(3), Terms.NO_DEADLINE);
    return new EngineRequest(prompt, options, salt, true, new Recorder())
        .withGuide(guided ? GUIDE : null)
        .withTerms(terms);
  }

  @ParameterizedTest
  @CsvSource({"1,400,true", "2,20,true", "3,24,true", "4,40,false"})
  void sameTokensAndChunks(int seed, int chunks, boolean sharing) {
    SplittableRandom random = new SplittableRandom(seed);
    QueueingBackend device = new QueueingBackend();
    try (Side ahead = new Side(chunks, sharing, device.backend());
        Side late = new Side(chunks, sharing, new SamplingBackend(0).backend())) {
      List<Side> sides = List.of(ahead, late);
      for (int step = 0; step < STEPS; step++) {
        act(random, sides, step);
        for (Side side : sides) {
          side.fixture.step(1); // checks the tree
        }
        assertThat(ahead.accounts()).as("step %d", step).isEqualTo(late.accounts());
      }
      sides.forEach(side -> side.fixture.run());
      assertSameTold(ahead.recorders, late.recorders);
      assertThat(device.foreseen).isGreaterThan(device.steps / 3).isLessThan(device.steps);
      if (chunks < 400) {
        assertThat(late.fixture.engine.stats().preemptions()).isPositive();
      }
    }
  }

  /** Joins and leaves, with quiet times between. */
  private static void act(SplittableRandom random, List<Side> sides, int step) {
    boolean busy = step / 50 % 2 == 0;
    if (random.nextInt(busy ? 4 : 40) == 0) {
      EngineRequest request = request(random);
      sides.forEach(side -> side.send(request));
    }
    if (random.nextInt(busy ? 12 : 60) == 0) {
      int sent = sides.getFirst().recorders.size();
      long id = Math.max(0, sent - 1 - random.nextInt(8));
      sides.forEach(side -> side.fixture.engine.cancel(id));
    }
  }

  private static void assertSameTold(List<Recorder> ahead, List<Recorder> late) {
    assertThat(ahead).hasSameSizeAs(late).hasSizeGreaterThan(300);
    for (int i = 0; i < late.size(); i++) {
      Recorder a = ahead.get(i);
      Recorder b = late.get(i);
      assertThat(a.tokens).as("request %d", i).isEqualTo(b.tokens);
      assertThat(a.text.toString()).isEqualTo(b.text.toString());
      assertThat(a.reasons).isEqualTo(b.reasons);
      assertThat(a.scores).isEqualTo(b.scores);
      assertThat(a.logprobs).isEqualTo(b.logprobs);
      assertThat(a.done).isEqualTo(b.done);
      assertThat(String.valueOf(a.error)).isEqualTo(String.valueOf(b.error));
    }
  }
}
