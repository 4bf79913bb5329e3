package org.chunkllama.text.jinja;

import java.time.Clock;
import java.time.LocalDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.chunkllama.text.jinja.Arguments.Bound;

/** Functions that every template can call: Jinja's, and those that transformers adds. */
final class Globals {
  private Globals() {}

  /** By name. {@code clock} tells strftime_now the time and zone. */
  static Map<String, Object> all(Clock clock) {
    Map<String, Callable> functions =
        Map.of(
            "range", (arguments, _) -> range(arguments),
            "dict", (arguments, _) -> dict(arguments),
            "namespace", (arguments, _) -> namespace(arguments),
            "joiner", (arguments, _) -> joiner(arguments),
            "cycler", (arguments, _) -> cycler(arguments),
            "raise_exception", (arguments, evaluator) -> raise(arguments, evaluator),
            "strftime_now", (arguments, evaluator) -> now(arguments, evaluator, clock));
    return new LinkedHashMap<>(functions);
  }

  private static Object range(Arguments arguments) {
    List<Object> numbers = arguments.all("range");
    return switch (numbers.size()) {
      case 1 -> new Range(0, Arithmetic.toLong(numbers.get(0)), 1);
      case 2 -> new Range(Arithmetic.toLong(numbers.get(0)), Arithmetic.toLong(numbers.get(1)), 1);
      case 3 ->
          new Range(
              Arithmetic.toLong(numbers.get(0)),
              Arithmetic.toLong(numbers.get(1)),
              Arithmetic.toLong(numbers.get(2)));
      default -> throw new JinjaError("range takes one to three numbers");
    };
  }

  private static Map<Object, Object> dict(Arguments arguments) {
    var map = new LinkedHashMap<Object, Object>();
    if (arguments.positional().size() > 1) {
      throw new JinjaError("dict takes at most one positional argument");
    }
    for (Object from : arguments.positional()) {
      if (!(from instanceof Map<?, ?> given)) {
        throw new JinjaError("dict needs a dict, not '" + Types.name(from) + "'");
      }
      map.putAll(given);
    }
    map.putAll(arguments.named());
    return map;
  }

  private static Object namespace(Arguments arguments) {
    var namespace = new Namespace();
    dict(arguments).forEach((name, value) -> namespace.values().put(name.toString(), value));
    return namespace;
  }

  /** Gives nothing the first time, then the separator. */
  private static Callable joiner(Arguments arguments) {
    Object separator = arguments.bind("joiner", "sep").get("sep", ", ");
    boolean[] used = {false};
    return (_, _) -> {
      Object given = used[0] ? separator : "";
      used[0] = true;
      return given;
    };
  }

  /** An object with {@code next()}, {@code reset()} and {@code current}. */
  private static Object cycler(Arguments arguments) {
    List<Object> items = arguments.all("cycler");
    if (items.isEmpty()) {
      throw new JinjaError("cycler needs something to go through");
    }
    var cycler = new Namespace();
    int[] at = {0};
    Callable next =
        (_, _) -> {
          Object item = items.get(at[0]);
          at[0] = (at[0] + 1) % items.size();
          cycler.values().put("current", items.get(at[0]));
          return item;
        };
    Callable reset =
        (_, _) -> {
          at[0] = 0;
          cycler.values().put("current", items.getFirst());
          return None.NONE;
        };
    cycler.values().put("current", items.getFirst());
    cycler.values().put("next", next);
    cycler.values().put("reset", reset);
    return cycler;
  }

  private static Object raise(Arguments arguments, Evaluator evaluator) {
    Bound bound = arguments.bind("raise_exception", "message");
    throw JinjaError.refusal(Printer.str(bound.required("message"), evaluator.budget()));
  }

  private static Object now(Arguments arguments, Evaluator evaluator, Clock clock) {
    String form = arguments.bind("strftime_now", "format").text("format");
    evaluator.budget().spend(form.length(), 50); // a field is slow to write
    return TimeFormat.format(LocalDateTime.now(clock), form);
  }
}
