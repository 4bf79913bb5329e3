package org.chunkllama.guide;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Random;
import org.chunkllama.sample.Sampler;
import org.chunkllama.sample.SamplerState;
import org.chunkllama.sample.SamplingOptions;

/** Draws texts of a guide from random logits. */
final class GuideFixture {
  final WordTokenizer tokenizer = new WordTokenizer(false);
  final GuideCompiler compiler = new GuideCompiler(tokenizer);
  private final Sampler sampler = new Sampler(tokenizer.vocabularySize());

  /**
   * One text, drawn at temperature 1 from random logits with some weight on what closes; empty if
   * it did not end in time.
   */
  Optional<String> draw(Guide guide, long seed) {
    int[] endIds = {tokenizer.eos()};
    GuideMatcher matcher = new GuideMatcher(compiler.compile(guide), endIds, false);
    Random random = new Random(seed);
    SamplingOptions options = SamplingOptions.temperature(1).withSeed(seed);
    SamplerState state = SamplerState.start(options, 0, new int[0], endIds, 0);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int i = 0; i < 3000; i++) {
      if (matcher.isComplete()) {
        return Optional.of(text(bytes));
      }
      int token = sampler.sample(logits(random), state, matcher);
      state.accept(token);
      matcher.accept(token);
      if (token == tokenizer.eos()) {
        assertThat(matcher.accepts()).isTrue();
        return Optional.of(text(bytes));
      }
      bytes.writeBytes(tokenizer.bytes(token));
    }
    return Optional.empty();
  }

  private float[] logits(Random random) {
    float[] logits = new float[tokenizer.vocabularySize()];
    for (int id = 0; id < logits.length; id++) {
      logits[id] = 2 * (float) random.nextGaussian();
      String token = tokenizer.token(id);
      boolean closes = token.contains("\"") || token.contains("}") || token.contains("]");
      logits[id] += closes ? 4 : 0;
    }
    logits[tokenizer.eos()] += 4;
    return logits;
  }

  private static String text(ByteArrayOutputStream bytes) {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(bytes.toByteArray()))
          .toString();
    } catch (CharacterCodingException e) {
      throw new AssertionError("no UTF-8", e);
    }
  }

  /** Whether a text, given byte by byte, fits a guide. */
  boolean fits(Guide guide, String text) {
    CompiledGuide compiled = compiler.compile(guide);
    Automaton.State end = compiled.next(compiled.start(), text.getBytes(StandardCharsets.UTF_8), 0);
    return end.accepts;
  }
}
