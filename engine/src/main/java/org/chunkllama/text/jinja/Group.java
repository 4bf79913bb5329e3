package org.chunkllama.text.jinja;

import java.util.AbstractList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What groupby gives: a pair whose halves have names. */
final class Group extends AbstractList<Object> {
  private final Object grouper;
  private final List<Object> list;

  Group(Object grouper, List<Object> list) {
    this.grouper = grouper;
    this.list = list;
  }

  @Nullable Object attribute(String name) {
    return switch (name) {
      case "grouper" -> grouper;
      case "list" -> list;
      default -> null;
    };
  }

  @Override
  public Object get(int index) {
    return index == 0 ? grouper : list;
  }

  @Override
  public int size() {
    return 2;
  }
}
