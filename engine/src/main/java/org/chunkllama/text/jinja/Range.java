package org.chunkllama.text.jinja;

import java.util.AbstractList;

/** Python's range: a list that takes no room. */
final class Range extends AbstractList<Object> {
  /** As Jinja's sandbox has it. */
  private static final long LENGTH_MAX = 100_000;

  private final long start;
  private final long stop;
  private final long step;
  private final int size;

  Range(long start, long stop, long step) {
    if (step == 0) {
      throw new JinjaError("range() step must not be zero");
    }
    double length = Math.ceil(((double) stop - (double) start) / step);
    if (length > LENGTH_MAX) {
      throw new JinjaError("range() is too long: at most " + LENGTH_MAX + " numbers");
    }
    this.start = start;
    this.stop = stop;
    this.step = step;
    this.size = (int) Math.max(0, length);
  }

  @Override
  public Object get(int index) {
    return start + index * step;
  }

  @Override
  public int size() {
    return size;
  }

  String spelled() {
    return "range(" + start + ", " + stop + (step == 1 ? "" : ", " + step) + ")";
  }
}
