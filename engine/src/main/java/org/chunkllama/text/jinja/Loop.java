package org.chunkllama.text.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The {@code loop} variable of one loop. */
final class Loop {
  private final List<Object> items;
  private int index;
  private @Nullable List<Object> lastChanged;

  Loop(List<Object> items) {
    this.items = items;
  }

  int length() {
    return items.size();
  }

  void moveTo(int index) {
    this.index = index;
  }

  @Nullable Object attribute(String name) {
    return switch (name) {
      case "index" -> index + 1L;
      case "index0" -> (long) index;
      case "revindex" -> (long) items.size() - index;
      case "revindex0" -> items.size() - index - 1L;
      case "first" -> index == 0;
      case "last" -> index == items.size() - 1;
      case "length" -> (long) items.size();
      case "previtem" -> neighbour(index - 1, "there is no previous item");
      case "nextitem" -> neighbour(index + 1, "there is no next item");
      case "depth" -> 1L;
      case "depth0" -> 0L;
      case "cycle" -> (Callable) (arguments, _) -> cycle(arguments.all("loop.cycle"));
      case "changed" ->
          (Callable) (arguments, evaluator) -> changed(arguments.positional(), evaluator.budget());
      default -> null;
    };
  }

  private Object neighbour(int at, String problem) {
    return at >= 0 && at < items.size() ? items.get(at) : new Undefined(problem);
  }

  private Object cycle(List<Object> values) {
    if (values.isEmpty()) {
      throw new JinjaError("loop.cycle needs something to go through");
    }
    return values.get(index % values.size());
  }

  private boolean changed(List<Object> values, Budget budget) {
    boolean same = lastChanged != null && Comparison.equal(lastChanged, values, budget);
    lastChanged = values;
    return !same;
  }
}
