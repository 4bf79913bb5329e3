package org.chunkllama.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.chunkllama.error.InvalidRequestException;
import org.junit.jupiter.api.Test;

class GenerationOptionsTest {
  private static void assertRefused(Runnable action, String message) {
    assertThatThrownBy(action::run)
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining(message);
  }

  @Test
  void withersChangeOneThing() {
    GenerationOptions options =
        GenerationOptions.defaults().withMaxTokens(7).withStop("x").withStopIds(List.of(3));
    assertThat(options.maxTokens()).isEqualTo(7);
    assertThat(options.stop()).containsExactly("x");
    assertThat(options.stopIds()).containsExactly(3);
    assertThat(options.sampling()).isEqualTo(SamplingOptions.greedy());
    assertThat(SamplingOptions.greedy().withSeed(5).seed()).hasValue(5);
  }

  @Test
  void outOfRangeIsRefusedInOneLine() {
    GenerationOptions options = GenerationOptions.defaults();
    assertRefused(() -> options.withMaxTokens(0), "maxTokens must be 1 or more, not 0");
    assertRefused(() -> options.withMinTokens(513), "minTokens");
    assertRefused(() -> options.withStop(""), "stop string");
    assertRefused(() -> options.withLogprobs(101), "logprobs");
    assertRefused(() -> options.withN(0), "n must be");
    assertRefused(() -> options.withBeams(200), "beams");
    SamplingOptions greedy = SamplingOptions.greedy();
    assertRefused(() -> greedy.withTemperature(-1), "temperature");
    assertRefused(() -> greedy.withTemperature(Double.NaN), "temperature");
    assertRefused(() -> greedy.withTopP(0), "topP");
    assertRefused(() -> greedy.withMinP(1.5), "minP");
    assertRefused(() -> greedy.withRepetitionPenalty(0), "repetitionPenalty");
    assertRefused(() -> greedy.withPresencePenalty(3), "presencePenalty");
  }

  @Test
  void beamsRefuseWhatTheyCannotDo() {
    GenerationOptions beams = GenerationOptions.defaults().withBeams(4);
    assertRefused(() -> beams.withSampling(SamplingOptions.temperature(1)), "temperature 0");
    assertRefused(() -> beams.withN(5), "at most beams");
    assertRefused(() -> beams.withLogprobs(0), "logprobs");
    assertRefused(() -> beams.withStop("x"), "stop ids");
  }
}
