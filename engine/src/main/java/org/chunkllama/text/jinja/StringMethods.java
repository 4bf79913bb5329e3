package org.chunkllama.text.jinja;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.function.UnaryOperator;
import org.chunkllama.text.jinja.Arguments.Bound;
import org.chunkllama.text.jinja.Methods.Method;
import org.jspecify.annotations.Nullable;

/** Methods of Python's str. */
final class StringMethods {
  static final Map<String, Method<String>> ALL = methods();

  private StringMethods() {}

  private static Map<String, Method<String>> methods() {
    var all = new HashMap<String, Method<String>>();
    all.put("strip", (self, args, budget) -> strip(self, args, budget, true, true));
    all.put("lstrip", (self, args, budget) -> strip(self, args, budget, true, false));
    all.put("rstrip", (self, args, budget) -> strip(self, args, budget, false, true));
    all.put("split", (self, args, budget) -> split(self, args, budget, false));
    all.put("rsplit", (self, args, budget) -> split(self, args, budget, true));
    all.put(
        "splitlines",
        (self, args, _) ->
            PyText.lines(self, args.bind("splitlines", "keepends").flag("keepends")));
    all.put("partition", (self, args, budget) -> partition(self, args, budget, false));
    all.put("rpartition", (self, args, budget) -> partition(self, args, budget, true));
    all.put("startswith", (self, args, budget) -> affix(self, args, budget, true));
    all.put("endswith", (self, args, budget) -> affix(self, args, budget, false));
    all.put(
        "removeprefix",
        (self, args, _) -> removePrefix(self, args.bind("removeprefix", "prefix").text("prefix")));
    all.put(
        "removesuffix",
        (self, args, _) -> removeSuffix(self, args.bind("removesuffix", "suffix").text("suffix")));
    all.put("replace", StringMethods::replace);
    all.put("join", StringMethods::join);
    all.put("find", (self, args, budget) -> find(self, args, budget, false));
    all.put("rfind", (self, args, budget) -> find(self, args, budget, true));
    all.put("index", StringMethods::index);
    all.put("count", StringMethods::count);
    all.put("format", (self, args, budget) -> BraceFormat.format(self, args, budget));
    all.put("center", (self, args, budget) -> pad(self, args, budget, "center"));
    all.put("ljust", (self, args, budget) -> pad(self, args, budget, "ljust"));
    all.put("rjust", (self, args, budget) -> pad(self, args, budget, "rjust"));
    all.put("zfill", StringMethods::zeroFill);
    map(all, "upper", PyText::upper);
    map(all, "lower", PyText::lower);
    map(all, "casefold", PyText::lower);
    map(all, "title", PyText::title);
    map(all, "capitalize", PyText::capitalize);
    map(all, "swapcase", StringMethods::swapCase);
    test(all, "isspace", PyText::isSpace);
    test(all, "isdigit", StringMethods::isDigit);
    test(all, "isdecimal", Character::isDigit);
    test(all, "isnumeric", StringMethods::isNumeric);
    test(all, "isalpha", Character::isLetter);
    test(all, "isalnum", c -> Character.isLetter(c) || isNumeric(c));
    test(all, "isascii", c -> c < 0x80);
    all.put("isupper", (self, _, _) -> isCased(self, true));
    all.put("islower", (self, _, _) -> isCased(self, false));
    return Map.copyOf(all);
  }

  private static void map(
      Map<String, Method<String>> all, String name, UnaryOperator<String> function) {
    all.put(
        name,
        (self, args, budget) -> {
          args.bind(name);
          budget.spend(self.length());
          return function.apply(self);
        });
  }

  /** True of a string that is not empty and all of whose characters pass. */
  private static void test(Map<String, Method<String>> all, String name, IntPredicate character) {
    all.put(name, (self, _, _) -> !self.isEmpty() && self.codePoints().allMatch(character));
  }

  /** Digits, raised ones and circled ones too, but no fractions. */
  @SuppressWarnings("CharacterGetNumericValue") // its odd values, of letters, are not asked for
  private static boolean isDigit(int c) {
    int value = Character.getNumericValue(c);
    return Character.isDigit(c)
        || (Character.getType(c) == Character.OTHER_NUMBER && value >= 0 && value <= 9);
  }

  private static boolean isNumeric(int c) {
    int type = Character.getType(c);
    return type == Character.DECIMAL_DIGIT_NUMBER
        || type == Character.LETTER_NUMBER
        || type == Character.OTHER_NUMBER;
  }

  /** All letters that have a case have this one, and there is one. */
  static boolean isCased(String text, boolean upper) {
    return upper
        ? text.codePoints().anyMatch(Character::isUpperCase)
            && text.codePoints().noneMatch(Character::isLowerCase)
        : text.codePoints().anyMatch(Character::isLowerCase)
            && text.codePoints().noneMatch(Character::isUpperCase);
  }

  private static String swapCase(String text) {
    var out = new StringBuilder(text.length());
    text.codePoints()
        .mapToObj(Character::toString)
        .forEach(c ->
            out.append(
                Character.isUpperCase(c.codePointAt(0)) ? PyText.lower(c) : PyText.upper(c)));
    return out.toString();
  }

  private static Object strip(
      String self, Arguments args, Budget budget, boolean left, boolean right) {
    return strip(self, args.bind("strip", "chars").textOrNull("chars"), budget, left, right);
  }

  static String strip(
      String self, @Nullable String chars, Budget budget, boolean left, boolean right) {
    budget.spendSearch(self.length(), chars == null ? 1 : chars.length());
    return PyText.strip(self, chars, left, right);
  }

  private static Object split(String self, Arguments args, Budget budget, boolean fromRight) {
    Bound bound = args.bind("split", "sep", "maxsplit");
    String separator = bound.textOrNull("sep");
    if (separator != null && separator.isEmpty()) {
      throw new JinjaError("split needs a separator that is not empty");
    }
    budget.spendSearch(self.length(), separator == null ? 1 : separator.length());
    long max = bound.integer("maxsplit", -1);
    return fromRight
        ? PyText.splitFromRight(self, separator, max)
        : PyText.split(self, separator, max);
  }

  private static Object partition(String self, Arguments args, Budget budget, boolean last) {
    String separator = args.bind("partition", "sep").text("sep");
    budget.spendSearch(self.length(), separator.length());
    int at = last ? self.lastIndexOf(separator) : self.indexOf(separator);
    if (at < 0) {
      return last ? Tuple.of("", "", self) : Tuple.of(self, "", "");
    }
    return Tuple.of(self.substring(0, at), separator, self.substring(at + separator.length()));
  }

  /** {@code startswith}, {@code endswith}: of one string or any of a tuple. */
  private static Object affix(String self, Arguments args, Budget budget, boolean start) {
    String name = start ? "startswith" : "endswith";
    Bound bound = args.bind(name, "prefix", "start", "end");
    String part = part(self, bound, budget);
    if (bound.required("prefix") instanceof Tuple(var prefixes)) {
      return prefixes.stream().anyMatch(each -> affix(part, text(each, name), start));
    }
    return affix(part, bound.text("prefix"), start);
  }

  private static boolean affix(String text, String affix, boolean start) {
    return start ? text.startsWith(affix) : text.endsWith(affix);
  }

  private static String text(Object value, String function) {
    if (value instanceof String text) {
      return text;
    }
    throw new JinjaError(function + " needs strings, not '" + Types.name(value) + "'");
  }

  /** The part of {@code self} that optional {@code start} and {@code end} leave. */
  private static String part(String self, Bound bound, Budget budget) {
    Long start = bound.orNull("start") == null ? null : bound.integer("start", 0);
    Long end = bound.orNull("end") == null ? null : bound.integer("end", 0);
    return start == null && end == null
        ? self
        : (String) Access.slice(self, start, end, null, budget);
  }

  private static String removePrefix(String self, String prefix) {
    return self.startsWith(prefix) ? self.substring(prefix.length()) : self;
  }

  private static String removeSuffix(String self, String suffix) {
    return self.endsWith(suffix) ? self.substring(0, self.length() - suffix.length()) : self;
  }

  private static Object replace(String self, Arguments args, Budget budget) {
    Bound bound = args.bind("replace", "old", "new", "count");
    return replace(self, bound.text("old"), bound.text("new"), bound.integer("count", -1), budget);
  }

  /** All of {@code old}, or the first {@code max} where that is not negative. */
  static String replace(String self, String old, String with, long max, Budget budget) {
    budget.spendSearch(self.length(), old.length());
    long found = old.isEmpty() ? self.codePointCount(0, self.length()) + 1 : occurrences(self, old);
    long times = max < 0 ? found : Math.min(found, max);
    budget.spend(times, with.length());
    var out = new StringBuilder();
    int from = 0;
    for (long i = 0; i < times; i++) {
      int at = old.isEmpty() && i > 0 ? self.offsetByCodePoints(from, 1) : self.indexOf(old, from);
      out.append(self, from, at).append(with);
      from = at + old.length();
    }
    return out.append(self, from, self.length()).toString();
  }

  private static long occurrences(String self, String part) {
    long count = 0;
    for (int at = self.indexOf(part); at >= 0; at = self.indexOf(part, at + part.length())) {
      count++;
    }
    return count;
  }

  private static Object join(String self, Arguments args, Budget budget) {
    List<Object> items = Types.items(args.bind("join", "items").required("items"), budget);
    for (Object item : items) {
      text(item, "join");
    }
    return joined(self, items, budget);
  }

  /** Items as they print, {@code separator} between them. */
  static String joined(String separator, List<Object> items, Budget budget) {
    budget.spend(items.size(), separator.length());
    var out = new StringBuilder();
    String between = "";
    for (Object item : items) {
      String text = Printer.str(item, budget);
      budget.spend(text.length());
      out.append(between).append(text);
      between = separator;
    }
    return out.toString();
  }

  private static long find(String self, Arguments args, Budget budget, boolean last) {
    Bound bound = args.bind("find", "sub", "start", "end");
    String sub = bound.text("sub");
    budget.spendSearch(self.length(), sub.length());
    String part = part(self, bound, budget);
    int at = last ? part.lastIndexOf(sub) : part.indexOf(sub);
    if (at < 0) {
      return -1;
    }
    long start = bound.orNull("start") == null ? 0 : bound.integer("start", 0);
    long length = self.codePointCount(0, self.length());
    return part.codePointCount(0, at) + Math.clamp(start < 0 ? start + length : start, 0, length);
  }

  private static Object index(String self, Arguments args, Budget budget) {
    long at = find(self, args, budget, false);
    if (at < 0) {
      throw new JinjaError("index: the substring is not found");
    }
    return at;
  }

  private static Object count(String self, Arguments args, Budget budget) {
    Bound bound = args.bind("count", "sub", "start", "end");
    String sub = bound.text("sub");
    budget.spendSearch(self.length(), sub.length());
    String part = part(self, bound, budget);
    return sub.isEmpty() ? part.codePointCount(0, part.length()) + 1L : occurrences(part, sub);
  }

  private static Object pad(String self, Arguments args, Budget budget, String how) {
    Bound bound = args.bind(how, "width", "fillchar");
    String fill = bound.has("fillchar") ? bound.text("fillchar") : " ";
    if (fill.codePointCount(0, fill.length()) != 1) {
      throw new JinjaError(how + " needs one character to fill with");
    }
    Arithmetic.toLong(bound.required("width"));
    return pad(self, bound.integer("width", 0), fill, how, budget);
  }

  static String pad(String self, long width, String fill, String how, Budget budget) {
    long length = self.codePointCount(0, self.length());
    long missing = Math.max(0, width - length);
    budget.spend(missing);
    long left =
        switch (how) {
          case "ljust" -> 0;
          case "rjust" -> missing;
          default -> missing / 2 + (missing & width & 1); // where Python puts the odd one
        };
    return fill.repeat(Math.toIntExact(left)) + self + fill.repeat(Math.toIntExact(missing - left));
  }

  private static Object zeroFill(String self, Arguments args, Budget budget) {
    long width = args.bind("zfill", "width").integer("width", 0);
    boolean signed = self.startsWith("-") || self.startsWith("+");
    String digits = signed ? self.substring(1) : self;
    String sign = signed ? self.substring(0, 1) : "";
    return sign + pad(digits, width - sign.length(), "0", "rjust", budget);
  }
}
