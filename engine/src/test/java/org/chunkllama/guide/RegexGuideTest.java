package org.chunkllama.guide;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.regex.Pattern;
import org.chunkllama.error.InvalidRequestException;
import org.junit.jupiter.api.Test;

/** Regular expressions against java.util.regex: what is drawn matches, what matches fits. */
class RegexGuideTest {
  private static final List<String> PATTERNS =
      List.of(
          "[0-9]{3}-[0-9]{4}",
          "(red|green|blue){1,3}",
          "a*b+c?",
          "[^a-z\"\\\\]{2,5}",
          "\\d{1,3}(\\.\\d{1,3}){3}",
          "(?:é|日本|[α-ω])+x",
          "\\w+@\\w+\\.(com|org)",
          "^[A-Z][a-z]*$",
          "(a|b)*abb",
          "[\\u0000-\\u001f]{1,2}\\x41",
          ".{0,5}\\n\\s\\S",
          "(?<year>[12]\\d{3})?-?",
          "[\uD83D\uDE00-\uD83D\uDE4F]{2}",
          "([a-c]{2}){2,}?z",
          "");

  @Test
  void whatIsDrawnMatches() {
    GuideFixture fixture = new GuideFixture();
    for (String pattern : PATTERNS) {
      int ended = 0;
      for (int seed = 0; seed < 40; seed++) {
        var text = fixture.draw(Guide.regex(pattern), seed);
        ended += text.isPresent() ? 1 : 0;
        text.ifPresent(t ->
            assertThat(Pattern.compile(pattern).matcher(t).matches())
                .as(pattern + " | " + t)
                .isTrue());
      }
      assertThat(ended).as(pattern).isGreaterThan(30);
    }
  }

  @Test
  void fitsExactlyWhatMatches() {
    GuideFixture fixture = new GuideFixture();
    List<String> texts =
        List.of(
            "",
            "b",
            "aabbc",
            "abb",
            "ababb",
            "555-1234",
            "redblue",
            "A",
            "Abc",
            "é日本αx",
            "1.2.3.4",
            "😀🙂",
            "a_1@b.org",
            "abab",
            "ababz",
            "aabbcz",
            "-",
            "1999-",
            "\u0001A",
            "x\n y");
    for (String pattern : PATTERNS) {
      for (String text : texts) {
        assertThat(fixture.fits(Guide.regex(pattern), text))
            .as(pattern + " | " + text)
            .isEqualTo(Pattern.compile(pattern).matcher(text).matches());
      }
    }
  }

  @Test
  void refusesWhatIsNotRegular() {
    GuideFixture fixture = new GuideFixture();
    for (String pattern :
        List.of(
            "(?=a)b",
            "(a)\\1",
            "a(",
            "a)",
            "[z-a]",
            "[a",
            "*a",
            "a{3,2}",
            "a{5000}",
            "\\bword",
            "a^b",
            "\\p{L}",
            "(?i)a",
            "a++",
            "[[:alpha:]]",
            "\\",
            "\\u12",
            "(?<!a)b")) {
      assertThatThrownBy(() -> fixture.compiler.compile(Guide.regex(pattern)))
          .as(pattern)
          .isInstanceOf(InvalidRequestException.class)
          .message()
          .doesNotContain("\n");
    }
  }

  @Test
  void nestedRepetitionIsRefusedRatherThanBuilt() {
    GuideFixture fixture = new GuideFixture();
    assertThatThrownBy(() -> fixture.compiler.compile(Guide.regex("((a{1000}){1000}){1000}")))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("too large");
  }
}
