package org.chunkllama.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.chunkllama.schedule.EngineFixture.limits;
import static org.chunkllama.schedule.EngineFixture.options;
import static org.chunkllama.schedule.EngineFixture.prompt;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.guide.Guide;
import org.chunkllama.guide.GuideCompiler;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.sample.SamplingOptions;
import org.chunkllama.sample.TokenLogprobs;
import org.chunkllama.spi.Backend;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Seeded draws are the same alone and together, on the host and where a backend draws itself. */
class EngineSamplingTest {
  private static final int EOS = 63;

  private final LetterTokenizer tokenizer = new LetterTokenizer(64, List.of(EOS));
  private final GuideCompiler compiler = new GuideCompiler(tokenizer);

  /** One request of each kind; the number is its seed and its prompt. */
  private List<GenerationOptions> kinds() {
    SamplingOptions drawn = SamplingOptions.temperature(1.2);
    List<SamplingOptions> ways =
        List.of(
            SamplingOptions.greedy(),
            drawn,
            drawn.withTopP(0.8),
            drawn.withTopK(5),
            drawn.withMinP(0.1).withTopP(0.9),
            drawn.withRepetitionPenalty(1.5).withFrequencyPenalty(0.3).withPresencePenalty(0.2),
            drawn.withLogitBias(Map.of(3, 4f, 70, 5f)),
            SamplingOptions.greedy().withFrequencyPenalty(0.5));
    List<GenerationOptions> all = new ArrayList<>();
    for (int i = 0; i < ways.size(); i++) {
      GenerationOptions one = options(20).withSampling(ways.get(i).withSeed(i));
      all.add(one.withMinTokens(i % 2 == 0 ? 5 : 0));
      all.add(one.withN(3).withIgnoreEos(true));
      all.add(one.withLogprobs(4));
    }
    all.add(options(20).withSampling(drawn.withSeed(9)).withN(1).withBestOf(3));
    all.add(options(20).withGuide(Guide.regex("[A-F]{5,30}")).withSampling(drawn.withSeed(7)));
    return all;
  }

  private EngineRequest request(GenerationOptions options, int i, Recorder to) {
    EngineRequest request = new EngineRequest(prompt(i / 3, 10 + i), options, "", true, to);
    return options.guide().map(g -> request.withGuide(compiler.compile(g))).orElse(request);
  }

  private List<Recorder> together(Backend backend) {
    List<Recorder> recorders = new ArrayList<>();
    try (EngineFixture fixture = new EngineFixture(400, limits(128), tokenizer, backend)) {
      List<GenerationOptions> kinds = kinds();
      for (int i = 0; i < kinds.size(); i++) {
        recorders.add(new Recorder());
        fixture.send(request(kinds.get(i), i, recorders.get(i)));
      }
      fixture.run();
    }
    return recorders;
  }

  private List<Recorder> alone() {
    List<Recorder> recorders = new ArrayList<>();
    List<GenerationOptions> kinds = kinds();
    for (int i = 0; i < kinds.size(); i++) {
      try (EngineFixture fixture =
          new EngineFixture(400, limits(128), tokenizer, EngineFixture.reference())) {
        recorders.add(new Recorder());
        fixture.send(request(kinds.get(i), i, recorders.get(i)));
        fixture.run();
      }
    }
    return recorders;
  }

  private static void assertSame(List<Recorder> actual, List<Recorder> expected) {
    for (int i = 0; i < expected.size(); i++) {
      Recorder a = actual.get(i);
      Recorder e = expected.get(i);
      assertThat(e.done).isTrue();
      assertThat(a.tokens).as("request %d", i).isEqualTo(e.tokens);
      assertThat(a.reasons).isEqualTo(e.reasons);
      assertThat(a.logprobs).hasSameSizeAs(e.logprobs);
      for (int k = 0; k < e.logprobs.size(); k++) {
        assertSame(a.logprobs.get(k), e.logprobs.get(k));
      }
    }
  }

  private static void assertSame(TokenLogprobs actual, TokenLogprobs expected) {
    assertThat(actual.logprob()).isCloseTo(expected.logprob(), within(1e-4f));
    assertThat(actual.top())
        .extracting(TokenLogprobs.Candidate::token)
        .isEqualTo(expected.top().stream().map(TokenLogprobs.Candidate::token).toList());
  }

  @Test
  void togetherEqualsAlone() {
    assertSame(together(EngineFixture.reference()), alone());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3}) // of 1: all draws are left to the host
  void aBackendThatDrawsGivesTheSame(int brokenEvery) {
    SamplingBackend device = new SamplingBackend(brokenEvery);
    assertSame(together(device.backend()), alone());
    assertThat(device.calls).isPositive();
  }

  @Test
  void aStepIsOneCall() {
    SamplingBackend device = new SamplingBackend(0);
    try (EngineFixture fixture = new EngineFixture(400, limits(128), tokenizer, device.backend())) {
      SamplingOptions drawn = SamplingOptions.temperature(1).withSeed(3);
      for (int i = 0; i < 4; i++) {
        GenerationOptions all = options(10).withIgnoreEos(true);
        fixture.submit(prompt(i, 20), i == 0 ? all : all.withSampling(drawn));
      }
      fixture.run();
      assertThat(device.calls).isEqualTo(10);
      assertThat(device.argmaxes).isZero();
      fixture.submit(prompt(8, 20), options(10).withIgnoreEos(true));
      fixture.run();
      assertThat(device.calls).as("the likeliest are drawn there too").isEqualTo(20);
      assertThat(device.argmaxes).isZero();
    }
  }

  @Test
  void aGuideWithoutWordsFailsItsRequestAlone() {
    SamplingBackend device = new SamplingBackend(0);
    SamplingOptions drawn = SamplingOptions.temperature(1).withSeed(3);
    try (EngineFixture fixture = new EngineFixture(400, limits(128), tokenizer, device.backend())) {
      Recorder faulty = new Recorder();
      fixture.send(
          request(options(20).withGuide(Guide.regex("AB(C!|D!)")).withSampling(drawn), 1, faulty));
      Recorder other =
          fixture.submit(prompt(5, 20), options(10).withIgnoreEos(true).withSampling(drawn));
      fixture.run();
      assertThat(faulty.error)
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("vocabulary");
      assertThat(other.tokens()).hasSize(10);
    }
  }
}
