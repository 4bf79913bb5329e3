package org.chunkllama.text.jinja;

import java.time.Clock;
import java.util.List;
import java.util.Map;
import org.chunkllama.error.TemplateException;
import org.jspecify.annotations.Nullable;

/**
 * A parsed template: equal to Python's jinja2 as transformers configures it, on what it supports.
 * Immutable; may be rendered by many threads at once.
 */
public final class JinjaTemplate {
  private final List<Node> nodes;
  private final Clock clock;

  private JinjaTemplate(List<Node> nodes, Clock clock) {
    this.nodes = nodes;
    this.clock = clock;
  }

  /**
   * Parses {@code source}.
   *
   * @param clock time and zone for strftime_now
   * @throws TemplateException where it is broken or uses a tag that is not supported; names the
   *     line
   */
  public static JinjaTemplate parse(String source, Clock clock) {
    try {
      return new JinjaTemplate(TemplateParser.parse(source), clock);
    } catch (JinjaError e) {
      throw e.toTemplateException();
    }
  }

  /**
   * The text with {@code values}: strings, numbers, booleans, null, and lists and maps of them.
   *
   * @throws TemplateException where the template refuses the values, fails on them, uses what is
   *     not supported, or does more work than any real template; names the line
   */
  public String render(Map<String, ? extends @Nullable Object> values) {
    try {
      Map<String, Object> names = Globals.all(clock);
      values.forEach((name, value) -> names.put(name, Types.of(value)));
      return new Interpreter(new Budget()).capture(nodes, Scope.root(names));
    } catch (JinjaError e) {
      throw e.toTemplateException();
    }
  }
}
