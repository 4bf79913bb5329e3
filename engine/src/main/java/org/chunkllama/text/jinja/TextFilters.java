package org.chunkllama.text.jinja;

import static java.util.Map.entry;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.chunkllama.text.jinja.Arguments.Bound;
import org.jspecify.annotations.Nullable;

/** Filters that make text. */
final class TextFilters {
  private static final Pattern WORD_GAP =
      Pattern.compile("[-\\s({\\[<]+", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern WORD = Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS);

  static final Map<String, Filters.Function> ALL =
      Map.ofEntries(
          entry("upper", mapping("upper", PyText::upper)),
          entry("lower", mapping("lower", PyText::lower)),
          entry("capitalize", mapping("capitalize", PyText::capitalize)),
          entry("title", mapping("title", TextFilters::title)),
          entry("string", mapping("string", text -> text)),
          entry("safe", mapping("safe", text -> text)),
          entry("escape", mapping("escape", TextFilters::escape)),
          entry("e", mapping("e", TextFilters::escape)),
          entry("forceescape", mapping("forceescape", TextFilters::escape)),
          entry("urlencode", mapping("urlencode", TextFilters::urlEncode)),
          entry("trim", TextFilters::trim),
          entry("replace", TextFilters::replace),
          entry("join", TextFilters::join),
          entry("indent", TextFilters::indent),
          entry("center", TextFilters::center),
          entry("truncate", TextFilters::truncate),
          entry("wordcount", TextFilters::wordCount),
          entry("format", TextFilters::format),
          entry("tojson", TextFilters::toJson));

  private TextFilters() {}

  private static Filters.Function mapping(String name, UnaryOperator<String> function) {
    return (input, arguments, evaluator) -> {
      arguments.bind(name);
      String text = Printer.str(input, evaluator.budget());
      evaluator.budget().spend(text.length());
      return function.apply(text);
    };
  }

  /** Unlike str.title, a word goes on behind an apostrophe or digit. */
  private static String title(String text) {
    var out = new StringBuilder(text.length());
    Matcher gap = WORD_GAP.matcher(text);
    int from = 0;
    while (gap.find()) {
      out.append(firstUpper(text.substring(from, gap.start()))).append(gap.group());
      from = gap.end();
    }
    return out.append(firstUpper(text.substring(from))).toString();
  }

  private static String firstUpper(String word) {
    if (word.isEmpty()) {
      return word;
    }
    int first = word.offsetByCodePoints(0, 1);
    return PyText.upper(word.substring(0, first)) + PyText.lower(word.substring(first));
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&#34;")
        .replace("'", "&#39;");
  }

  private static String urlEncode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8)
        .replace("+", "%20")
        .replace("*", "%2A")
        .replace("%2F", "/")
        .replace("%7E", "~");
  }

  private static Object trim(Object input, Arguments arguments, Evaluator evaluator) {
    String chars = arguments.bind("trim", "chars").textOrNull("chars");
    Budget budget = evaluator.budget();
    return StringMethods.strip(Printer.str(input, budget), chars, budget, true, true);
  }

  private static Object replace(Object input, Arguments arguments, Evaluator evaluator) {
    Bound bound = arguments.bind("replace", "old", "new", "count");
    Budget budget = evaluator.budget();
    long max = bound.orNull("count") == null ? -1 : bound.integer("count", -1);
    return StringMethods.replace(
        Printer.str(input, budget),
        Printer.str(bound.required("old"), budget),
        Printer.str(bound.required("new"), budget),
        max,
        budget);
  }

  private static Object join(Object input, Arguments arguments, Evaluator evaluator) {
    Bound bound = arguments.bind("join", "d", "attribute");
    List<Object> items = Types.items(input, evaluator.budget());
    Object attribute = bound.orNull("attribute");
    if (attribute != null) {
      items = items.stream().map(item -> Access.path(item, attribute)).toList();
    }
    String separator = Printer.str(bound.get("d", ""), evaluator.budget());
    return StringMethods.joined(separator, items, evaluator.budget());
  }

  private static Object indent(Object input, Arguments arguments, Evaluator evaluator) {
    Bound bound = arguments.bind("indent", "width", "first", "blank");
    String text = text("indent", input);
    Object width = bound.get("width", 4L);
    Budget budget = evaluator.budget();
    String indent =
        width instanceof String given ? given : spaces(Arithmetic.toLong(width), budget);
    List<Object> lines = PyText.lines(text + "\n", false);
    budget.spend(lines.size(), indent.length() + 1L);
    budget.spend(text.length());
    var out = new StringBuilder();
    for (int i = 0; i < lines.size(); i++) {
      String line = (String) lines.get(i);
      boolean indented = i == 0 ? bound.flag("first") : bound.flag("blank") || !line.isEmpty();
      out.append(i == 0 ? "" : "\n").append(indented ? indent : "").append(line);
    }
    return out.toString();
  }

  private static String spaces(long count, Budget budget) {
    budget.spend(Math.max(0, count));
    return " ".repeat(Math.toIntExact(Math.max(0, count)));
  }

  private static Object center(Object input, Arguments arguments, Evaluator evaluator) {
    long width = arguments.bind("center", "width").integer("width", 80);
    String text = Printer.str(input, evaluator.budget());
    return StringMethods.pad(text, width, " ", "center", evaluator.budget());
  }

  private static Object truncate(Object input, Arguments arguments, Evaluator evaluator) {
    Bound bound = arguments.bind("truncate", "length", "killwords", "end", "leeway");
    String text = text("truncate", input);
    long length = bound.integer("length", 255);
    String end = bound.has("end") ? bound.text("end") : "...";
    long leeway = bound.orNull("leeway") == null ? 5 : bound.integer("leeway", 5);
    long endLength = end.codePointCount(0, end.length());
    if (length < endLength || leeway < 0) {
      throw new JinjaError("truncate needs a length of at least " + endLength);
    }
    if (text.codePointCount(0, text.length()) <= length + leeway) {
      return text;
    }
    String kept = text.substring(0, PyText.offset(text, length - endLength));
    int lastSpace = bound.flag("killwords") ? -1 : kept.lastIndexOf(' ');
    return (lastSpace < 0 ? kept : kept.substring(0, lastSpace)) + end;
  }

  private static Object wordCount(Object input, Arguments arguments, Evaluator evaluator) {
    arguments.bind("wordcount");
    return WORD.matcher(Printer.str(input, evaluator.budget())).results().count();
  }

  private static Object format(Object input, Arguments arguments, Evaluator evaluator) {
    Budget budget = evaluator.budget();
    Object values =
        arguments.named().isEmpty()
            ? new Tuple(arguments.positional())
            : Map.<Object, Object>copyOf(arguments.named());
    if (!arguments.named().isEmpty() && !arguments.positional().isEmpty()) {
      throw new JinjaError("format takes positional or named values, not both");
    }
    return PercentFormat.format(Printer.str(input, budget), values, budget);
  }

  private static Object toJson(Object input, Arguments arguments, Evaluator evaluator) {
    Bound bound = arguments.bind("tojson", "ensure_ascii", "indent", "separators", "sort_keys");
    Object indent = bound.orNull("indent");
    String level =
        indent == null
            ? null
            : indent instanceof String text
                ? text
                : spaces(Arithmetic.toLong(indent), evaluator.budget());
    List<Object> separators = separators(bound.orNull("separators"), level != null, evaluator);
    var options =
        new Json.Options(
            bound.flag("ensure_ascii"),
            level,
            text("separators", separators.get(0)),
            text("separators", separators.get(1)),
            bound.flag("sort_keys"));
    return Json.write(input, options, evaluator.budget());
  }

  private static List<Object> separators(
      @Nullable Object given, boolean indented, Evaluator evaluator) {
    List<Object> separators =
        given == null
            ? new ArrayList<>(List.of(indented ? "," : ", ", ": "))
            : Types.items(given, evaluator.budget());
    if (separators.size() != 2) {
      throw new JinjaError("tojson needs two separators");
    }
    return separators;
  }

  private static String text(String filter, Object value) {
    return switch (value) {
      case String text -> text;
      case Undefined undefined -> throw undefined.error();
      default -> throw new JinjaError(filter + " needs a string, not '" + Types.name(value) + "'");
    };
  }
}
