package org.chunkllama.text.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.InputStream;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.chunkllama.error.TemplateException;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.json.JsonMapper;

/** Equal to Python's jinja2 on the cases of tools/goldens/jinja.py, failures included. */
class JinjaConformanceTest {
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-07-04T09:05:03Z"), ZoneOffset.UTC);

  private record Goldens(Map<String, Object> values, List<Case> cases) {}

  private record Case(String template, String output) {}

  @TestFactory
  Stream<DynamicTest> rendersAsPython() throws Exception {
    Goldens goldens;
    try (InputStream in = getClass().getResourceAsStream("cases.json")) {
      goldens = new JsonMapper().readValue(in, Goldens.class);
    }
    assertThat(goldens.cases()).hasSizeGreaterThan(600);
    return goldens.cases().stream()
        .map(each ->
            DynamicTest.dynamicTest(
                "'" + each.template().replace("\n", "\\n") + "'",
                () -> check(each, goldens.values())));
  }

  private static void check(Case golden, Map<String, Object> values) {
    if (golden.output() == null) {
      assertThatThrownBy(() -> render(golden.template(), values))
          .isInstanceOf(TemplateException.class)
          .hasMessageContaining("line ");
    } else {
      assertThat(render(golden.template(), values)).isEqualTo(golden.output());
    }
  }

  private static String render(String template, Map<String, Object> values) {
    return JinjaTemplate.parse(template, CLOCK).render(values);
  }
}
