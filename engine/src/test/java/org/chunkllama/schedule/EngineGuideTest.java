package org.chunkllama.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.chunkllama.schedule.EngineFixture.limits;
import static org.chunkllama.schedule.EngineFixture.options;
import static org.chunkllama.schedule.EngineFixture.prompt;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.guide.Guide;
import org.chunkllama.guide.GuideCompiler;
import org.chunkllama.sample.FinishReason;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.sample.SamplingOptions;
import org.junit.jupiter.api.Test;

/** Guided requests in the engine: several at once, preempted, cut, at fault. */
class EngineGuideTest {
  private static final int EOS = 63;
  private static final Guide GUIDE = Guide.regex("([A-F][0-9]?){30}ZY?");

  private final LetterTokenizer tokenizer = new LetterTokenizer(64, List.of(EOS));
  private final GuideCompiler compiler = new GuideCompiler(tokenizer);

  private EngineRequest request(Guide guide, GenerationOptions options, Recorder to) {
    return new EngineRequest(prompt(5, 20), options, "", true, to)
        .withGuide(compiler.compile(guide));
  }

  private static GenerationOptions drawn(int maxTokens) {
    return options(maxTokens).withSampling(SamplingOptions.temperature(1).withSeed(4));
  }

  @Test
  void severalCompletionsSurvivePreemption() {
    List<String> expected = new ArrayList<>();
    try (EngineFixture fixture = new EngineFixture(400, limits(32), tokenizer)) {
      Recorder recorder = new Recorder();
      fixture.send(request(GUIDE, drawn(100).withN(4), recorder));
      fixture.run();
      recorder.text.forEach((_, text) -> expected.add(text.toString()));
      assertThat(expected).hasSize(4).doesNotHaveDuplicates();
      assertThat(expected).allMatch(text -> text.matches("([A-F][0-9]?){30}ZY?"));
      assertThat(recorder.reasons.values()).containsOnly(FinishReason.STOP);
    }
    long preemptions = 0;
    for (int chunks = 5; chunks < 9; chunks++) {
      try (EngineFixture fixture = new EngineFixture(chunks, limits(32), tokenizer)) {
        Recorder recorder = new Recorder();
        fixture.send(request(GUIDE, drawn(100).withN(4), recorder));
        fixture.run();
        List<String> texts = new ArrayList<>();
        recorder.text.forEach((_, text) -> texts.add(text.toString()));
        assertThat(texts).isEqualTo(expected);
        preemptions += fixture.engine.stats().preemptions();
      }
    }
    assertThat(preemptions).isPositive();
  }

  @Test
  void whatNothingCanFollowEndsWithoutAnEndToken() {
    try (EngineFixture fixture = new EngineFixture(400, limits(32), tokenizer)) {
      Recorder recorder = new Recorder();
      fixture.send(request(Guide.literal("HELLO"), options(50).withIgnoreEos(true), recorder));
      fixture.run();
      assertThat(recorder.text()).isEqualTo("HELLO");
      assertThat(recorder.tokens()).hasSize(5);
      assertThat(recorder.reasons.get(0)).isEqualTo(FinishReason.STOP);
    }
  }

  @Test
  void limitsStopsAndLogprobsWorkAsEver() {
    try (EngineFixture fixture = new EngineFixture(400, limits(32), tokenizer)) {
      Recorder cut = new Recorder();
      fixture.send(request(GUIDE, drawn(10).withLogprobs(3), cut));
      Recorder stopped = new Recorder();
      fixture.send(request(Guide.regex("[AB]*C[AB]*"), drawn(200).withStop("C"), stopped));
      Recorder least = new Recorder();
      fixture.send(request(Guide.regex("[A-C]*"), drawn(200).withMinTokens(40), least));
      fixture.run();
      assertThat(cut.text()).matches("([A-F][0-9]?){1,10}");
      assertThat(cut.reasons.get(0)).isEqualTo(FinishReason.LENGTH);
      assertThat(cut.logprobs).hasSize(10);
      assertThat(cut.logprobs.getFirst().top()).hasSize(3);
      assertThat(stopped.text()).matches("[AB]*");
      assertThat(stopped.stoppedBy.get(0)).isIn("C", "");
      assertThat(least.tokens().size()).isGreaterThanOrEqualTo(40);
    }
  }

  @Test
  void aGuideThatTheVocabularyCannotSpellFailsItsRequestAlone() {
    try (EngineFixture fixture = new EngineFixture(400, limits(32), tokenizer)) {
      Recorder faulty = new Recorder();
      fixture.send(request(Guide.regex("AB(C!|D!)"), options(20), faulty));
      Recorder other = fixture.submit(prompt(5, 20), options(10).withIgnoreEos(true));
      fixture.run();
      assertThat(faulty.error)
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("vocabulary");
      assertThat(other.tokens()).hasSize(10);
    }
  }
}
