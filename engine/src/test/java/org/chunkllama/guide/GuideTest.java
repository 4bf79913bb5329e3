package org.chunkllama.guide;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.chunkllama.error.InvalidRequestException;
import org.junit.jupiter.api.Test;

/** Guides put together, ends, first spaces. */
class GuideTest {
  private final GuideFixture fixture = new GuideFixture();

  @Test
  void partsOneAfterAnother() {
    Guide call =
        Guide.sequence(
            Guide.literal("<call>"),
            Guide.anyOf(
                List.of(
                    Guide.jsonSchema(
                        "{\"properties\":{\"name\":{\"const\":\"f\"},\"a\":{\"type\":\"integer\"}},"
                            + "\"required\":[\"name\",\"a\"]}"),
                    Guide.jsonSchema(
                        "{\"properties\":{\"name\":{\"const\":\"g\"}},\"required\":[\"name\"]}"))),
            Guide.literal("</call>"));
    Guide calls = new Guide.Repeat(call, "\n", 1, 3);
    assertThat(fixture.fits(calls, "<call>{\"name\":\"f\",\"a\":1}</call>")).isTrue();
    assertThat(
            fixture.fits(
                calls,
                "<call>{\"name\": \"g\"}</call>\n<call>{\"name\": \"f\", \"a\": -20}</call>"))
        .isTrue();
    assertThat(fixture.fits(calls, "<call>{\"name\":\"g\",\"a\":1}</call>")).isFalse();
    assertThat(fixture.fits(calls, "<call>{\"name\":\"f\"}</call>")).isFalse();
    assertThat(fixture.fits(calls, "<call>{\"name\":\"g\"}</call><call>")).isFalse();
    assertThat(fixture.fits(calls, "")).isFalse();
    for (int seed = 0; seed < 30; seed++) {
      String text = fixture.draw(calls, seed).orElseThrow();
      assertThat(text).startsWith("<call>{").endsWith("}</call>");
    }
  }

  @Test
  void choices() {
    Guide guide = Guide.choice(List.of("yes", "no", "yes, but \"no\"", "日本"));
    for (int seed = 0; seed < 50; seed++) {
      assertThat(fixture.draw(guide, seed).orElseThrow())
          .isIn("yes", "no", "yes, but \"no\"", "日本");
    }
  }

  @Test
  void theEndComesOnlyWhereTheTextIsComplete() {
    int eos = fixture.tokenizer.eos();
    CompiledGuide guide = fixture.compiler.compile(Guide.regex("ab(ab)?"));
    GuideMatcher matcher = new GuideMatcher(guide, new int[] {eos}, false);
    float[] logits = new float[fixture.tokenizer.vocabularySize()];
    matcher.mask(logits);
    assertThat(logits[eos]).isEqualTo(Float.NEGATIVE_INFINITY);
    assertThat(logits['a']).isZero();
    assertThat(logits['b']).isEqualTo(Float.NEGATIVE_INFINITY);
    matcher.accept('a');
    matcher.accept('b');
    assertThat(matcher.accepts()).isTrue();
    assertThat(matcher.isComplete()).isFalse();
    logits = new float[fixture.tokenizer.vocabularySize()];
    logits[eos] = 3;
    matcher.mask(logits);
    assertThat(logits[eos]).isEqualTo(3);
    assertThat(logits['a']).isZero();
    matcher.accept('a');
    matcher.accept('b');
    assertThat(matcher.isComplete()).isTrue();
  }

  @Test
  void aFirstSpaceThatIsNotShownDoesNotCount() {
    CompiledGuide guide = fixture.compiler.compile(Guide.regex("the|the world"));
    int[] endIds = {fixture.tokenizer.eos()};
    float[] logits = new float[fixture.tokenizer.vocabularySize()];
    GuideMatcher shown = new GuideMatcher(guide, endIds, false);
    shown.mask(logits);
    int spaced = id(" the");
    assertThat(logits[spaced]).isEqualTo(Float.NEGATIVE_INFINITY);
    logits = new float[fixture.tokenizer.vocabularySize()];
    GuideMatcher hidden = new GuideMatcher(guide, endIds, true);
    hidden.mask(logits);
    assertThat(logits[spaced]).isZero();
    assertThat(logits[id("the")]).isZero();
    assertThat(logits[' ']).isEqualTo(Float.NEGATIVE_INFINITY);
    hidden.accept(spaced);
    assertThat(hidden.accepts()).isTrue();
    logits = new float[fixture.tokenizer.vocabularySize()];
    hidden.mask(logits);
    assertThat(logits[id(" world")]).isZero();
  }

  private int id(String token) {
    for (int id = 256; id < fixture.tokenizer.vocabularySize(); id++) {
      if (new String(fixture.tokenizer.bytes(id), StandardCharsets.UTF_8).equals(token)) {
        return id;
      }
    }
    throw new AssertionError(token);
  }

  @Test
  void everyMaskIsWhatTheBytesSay() {
    CompiledGuide guide =
        fixture.compiler.compile(
            Guide.jsonSchema("{\"type\":\"array\",\"items\":{\"type\":[\"string\",\"number\"]}}"));
    Automaton.State state = guide.start();
    for (byte b : "[\"é\\n\", 12.5e1, \"日\"".getBytes(StandardCharsets.UTF_8)) {
      TokenSet allowed = guide.allowed(state);
      for (int id = 0; id < fixture.tokenizer.vocabularySize(); id++) {
        byte[] bytes = fixture.tokenizer.bytes(id);
        boolean goesOn = bytes.length > 0 && !guide.next(state, bytes, 0).isDead();
        assertThat(allowed.contains(id)).as("token " + id).isEqualTo(goesOn);
      }
      state = guide.next(state, new byte[] {b}, 0);
    }
  }

  @Test
  void equalGuidesAreCompiledOnce() {
    assertThat(fixture.compiler.compile(Guide.regex("a+")))
        .isSameAs(fixture.compiler.compile(Guide.regex("a+")))
        .isNotSameAs(fixture.compiler.compile(Guide.regex("a*")));
  }

  @Test
  void aDeeplyAmbiguousGuideIsRefusedNotHungOn() {
    CompiledGuide guide =
        fixture.compiler.compile(Guide.regex("([a-z ]|[a-y ])*a([a-z ]|[b-z ]){400}"));
    GuideMatcher matcher = new GuideMatcher(guide, new int[0], false);
    float[] logits = new float[fixture.tokenizer.vocabularySize()];
    for (int i = 0; i < 300; i++) {
      matcher.mask(logits);
      matcher.accept(i % 3 == 0 ? 'a' : 'b');
    }
    assertThat(guide.maskNanosMax()).isLessThan(2_000_000_000L);
  }

  @Test
  void whatNoTextFitsIsRefused() {
    String endless =
        "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"properties\":{\"a\":{\"$ref\":\"#/$defs/a\"}},"
            + "\"required\":[\"a\"]}}}";
    assertThatThrownBy(() -> fixture.compiler.compile(Guide.jsonSchema(endless)))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage("no finite text fits the guide");
  }
}
