package org.chunkllama.schedule;

import org.chunkllama.spi.Backend;
import org.chunkllama.spi.Tensor;
import org.jspecify.annotations.Nullable;

/** The logits of one step, read no more than needed: the argmax of all rows is one call. */
final class LogitsReader {
  private final Backend backend;
  private final float[] row; // [vocabulary]
  private int[] best = new int[64];
  private @Nullable Tensor logits;
  private int rows;
  private boolean hasBest;

  LogitsReader(Backend backend, int vocabulary) {
    this.backend = backend;
    this.row = new float[vocabulary];
  }

  /** Begins a step with {@code rows} rows of logits. */
  void begin(Tensor logits, int rows) {
    this.logits = logits;
    this.rows = rows;
    hasBest = false;
  }

  /** A copy of row {@code r}, free to change until the next call. */
  float[] row(int r) {
    current().read(r, row, 0);
    return row;
  }

  /** Id of the largest logit of row {@code r}. */
  int argmax(int r) {
    if (!hasBest) {
      if (best.length < rows) {
        best = new int[2 * rows];
      }
      backend.argmax(current(), rows, best);
      hasBest = true;
    }
    return best[r];
  }

  private Tensor current() {
    if (logits == null) {
      throw new IllegalStateException("no step began");
    }
    return logits;
  }
}
