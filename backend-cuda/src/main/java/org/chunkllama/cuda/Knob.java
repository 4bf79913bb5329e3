package org.chunkllama.cuda;

import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;

/**
 * Settings of the attention planner. Costs are in units of one token read; the first value is what
 * serves where nothing was measured: fitted by hand on an H100.
 */
enum Knob {
  /** Query rows whose arithmetic takes as long as reading a token. */
  BALANCE(160, 80, 96, 112, 128, 144, 160, 192, 224, 256, 320),
  /** Of a record of several rows: others wait for its states. */
  SHARED(24, 6, 12, 18, 24, 32, 48, 64, 96),
  /** Of one query row's partial state. */
  STATE(0.25, 0.06, 0.12, 0.18, 0.25, 0.35, 0.5, 0.7, 1),
  /** Of one query row that its owner merges. */
  MERGE(4, 1, 2, 3, 4, 6, 8, 12),
  /** Tokens of the smallest piece of a run that is cut. */
  SMALLEST(32, 16, 32, 48, 64, 96, 128),
  /** Reading a token again, which sharing saves. */
  REREAD(0.6, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1),
  /** One query row's state, as the choice of what to share sees it. */
  PARTIAL(1.5, 0.4, 0.75, 1.1, 1.5, 2, 3, 4),
  /** Starting one piece of work, as the choice of what to share sees it. */
  SEGMENT(96, 24, 48, 64, 96, 128, 192, 256),
  /** Query rows of a record, at most; a kernel may take fewer, and a step ({@link RowLimit}). */
  QUERY_ROWS(128, 32, 64, 128),
  /** Share of the multiprocessors that get work. */
  LANES(1, 0.5, 0.625, 0.75, 0.875, 1);

  final double heuristic;

  /** Values worth trying, rising. */
  @SuppressWarnings("ImmutableEnumChecker") // a list that cannot be changed
  final List<Double> values;

  Knob(double heuristic, double... values) {
    this.heuristic = heuristic;
    this.values = DoubleStream.of(values).boxed().toList();
  }

  /** Its name in files. */
  String key() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** True from the smallest to the largest value. */
  boolean allows(double value) {
    return value >= values.getFirst() && value <= values.getLast();
  }
}
