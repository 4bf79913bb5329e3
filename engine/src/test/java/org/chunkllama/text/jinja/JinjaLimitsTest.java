package org.chunkllama.text.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Clock;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.chunkllama.error.TemplateException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Hostile templates end with an error that names the line: no hang, no full memory or stack. */
class JinjaLimitsTest {
  private static String render(String template, Map<String, Object> values) {
    return JinjaTemplate.parse(template, Clock.systemUTC()).render(values);
  }

  @ParameterizedTest
  @Timeout(30)
  @ValueSource(
      strings = {
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
        "{% for a in range(100000) %}{% for b in range(100000) %}xxxxxxxxx{% endfor %}{% endfor %}",
        "{{ 'x' * 1000000000000 }}",
        "{{ [0] * 1000000000 }}",
        "{{ 9223372036854775807 * 'ab' }}",
        "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}"
            + "{% endfor %}",
        "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}"
            + "{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = ns.l + ns.l %}"
            + "{% endfor %}",
        "{% set ns = namespace(l=[]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l] %}"
            + "{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=[]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l] %}"
            + "{% endfor %}{{ ns.l|tojson }}",
        "{% set ns = namespace(l=[], m=[]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l] %}"
            + "{% set ns.m = [ns.m, ns.m] %}{% endfor %}{{ ns.l == ns.m }}",
        "{% set ns = namespace(l=[]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}"
            + "{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=[]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}"
            + "{% endfor %}{{ ns.l|tojson }}",
        "{% set ns = namespace(l=(), m=()) %}{% for i in range(9999) %}{% set ns.l = (ns.l,) %}"
            + "{% set ns.m = (ns.m,) %}{% endfor %}{{ ns.l < ns.m }}",
        "{% set ns = namespace(l=(1,)) %}{% for i in range(9999) %}{% set ns.l = (ns.l,) %}"
            + "{% endfor %}{{ [ns.l]|unique|list }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(x) %}{{ m(m(x)) }}{% endmacro %}{{ m(1) }}",
        "{% macro m() %}x{{ caller() }}{% endmacro %}{% macro r() %}{% call m() %}{{ r() }}"
            + "{% endcall %}{% endmacro %}{{ r() }}",
        "{{ ('x' * 100000)|replace('x', 'y' * 100000) }}",
        "{{ ('x' * 100000).replace('', 'y' * 100000) }}",
        "{{ ('a' * 100000)|list|join('b' * 100000) }}",
        "{{ 'a'|center(10000000000) }}",
        "{{ 'a'.ljust(10000000000) }}",
        "{{ 'a'.zfill(10000000000) }}",
        "{{ '%999999999d' % 1 }}",
        "{{ '{:999999999}'.format(1) }}",
        "{{ '%.999999999f' % 1.5 }}",
        "{{ 'a\\nb'|indent(10000000000) }}",
        "{{ [[[1]]]|tojson(indent=10000000000) }}",
        "{{ [1]|batch(10000000000, 'x')|list }}",
        "{{ [1]|slice(10000000000)|list }}",
        "{{ range(1000000)|list }}",
        "{{ 2 ** 1000000000 }}",
        "{{ 3 ** 100 }}",
        "{% set x = 'a' * 10000 %}{% for i in range(100000) %}{{ x|upper|length }}{% endfor %}",
        "{% set x = 'a' * 1000000 %}{% for i in range(100000) %}{% if 'b' in x %}{% endif %}"
            + "{% endfor %}",
        "{% set x = 'a' * 1000000 %}{% for i in range(100000) %}{% if x.find('b') %}{% endif %}"
            + "{% endfor %}",
        "{% set x = 'a' * 1000000 %}{% for i in range(100000) %}{% if x.isalpha() %}{% endif %}"
            + "{% endfor %}",
        "{% set x = 'a' * 1000000 %}{% for i in range(100000) %}{% if x|length %}{% endif %}"
            + "{% endfor %}",
        "{% set x = 'a' * 1000000 %}{% for i in range(100000) %}{% if x[-2] %}{% endif %}"
            + "{% endfor %}",
        "{% set x = range(100000)|list %}{% for i in range(100000) %}{% if x|sort %}{% endif %}"
            + "{% endfor %}"
      })
  void endsWithAnError(String template) {
    assertThatThrownBy(() -> render("\n" + template, Map.of()))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("line 2");
  }

  @Test
  void deepSourceIsRefusedAtItsLine() {
    for (String[] part :
        List.of(
            new String[] {"{{ " + "(".repeat(5000), "1" + ")".repeat(5000) + " }}"},
            new String[] {"{{ " + "[".repeat(5000), "]".repeat(5000) + " }}"},
            new String[] {"{{ " + "-".repeat(5000), "1 }}"},
            new String[] {"{{ " + "not ".repeat(5000), "1 }}"},
            new String[] {"{{ " + "1 if 1 else ".repeat(5000), "1 }}"},
            new String[] {"{{ " + "1 if ".repeat(5000), "1 }}"},
            new String[] {"{{ 1" + " + 1".repeat(50_000), " }}"},
            new String[] {"{{ x" + ".x".repeat(50_000), " }}"},
            new String[] {"{{ 'x'" + "|upper".repeat(50_000), " }}"},
            new String[] {"{% if 1 %}".repeat(5000), "{% endif %}".repeat(5000)},
            new String[] {"{% set " + "(".repeat(5000), "x" + ")".repeat(5000) + " = 1 %}"})) {
      assertThatThrownBy(() -> render(part[0] + part[1], Map.of()))
          .isInstanceOf(TemplateException.class)
          .hasMessageContaining("line 1");
    }
  }

  @Test
  void longStringsAndNumbersAreRead() {
    String escapes = "\\n".repeat(100_000);
    assertThat(render("{{ '" + escapes + "'|length }}", Map.of())).isEqualTo("100000");
    assertThat(render("{{ 1" + "_0".repeat(10) + " }}", Map.of())).isEqualTo("10000000000");
    assertThatThrownBy(() -> render("{{ 1" + "_0".repeat(10_000) + " }}", Map.of()))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("too large");
    String comments = "{# x #}".repeat(20_000);
    assertThat(render(comments + "a", Map.of())).isEqualTo("a");
  }

  /** A chat of a million characters stays far below the limit. */
  @Test
  void longChatsRender() {
    Object message = Map.of("role", "user", "content", "word ".repeat(200));
    String template =
        "{% for m in messages %}{% if m.role == 'user' %}{{ '<' + m.role + '>' + m.content|trim }}"
            + "{% endif %}{% endfor %}";
    assertThat(render(template, Map.of("messages", Collections.nCopies(1000, message))))
        .hasSize(1000 * (999 + 6));
  }

  @Test
  void valuesThatAreNoValuesAreRefused() {
    assertThatThrownBy(() -> render("x", Map.of("a", new Object())))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("java.lang.Object");
    Object deep = "x";
    for (int i = 0; i < 10_000; i++) {
      deep = List.of(deep);
    }
    Object nested = deep;
    assertThatThrownBy(() -> render("x", Map.of("a", nested)))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("deep");
  }
}
