package org.chunkllama.sample;

/** The n largest values of an array with their indices; equal values by lower index. */
final class TopTokens {
  private final int[] ids;
  private final float[] values;
  private int size;

  /** Room for {@code n}. */
  TopTokens(int n) {
    ids = new int[n];
    values = new float[n];
  }

  /** Most that it holds. */
  int capacity() {
    return ids.length;
  }

  int size() {
    return size;
  }

  int id(int i) {
    return ids[i];
  }

  float value(int i) {
    return values[i];
  }

  /** Takes the {@code n} largest of {@code all}, largest first. O(length + n * insertions). */
  void select(float[] all, int n) {
    size = 0;
    if (n == 0) {
      return;
    }
    float least = Float.NEGATIVE_INFINITY;
    for (int id = 0; id < all.length; id++) {
      if (size < n || all[id] > least) {
        insert(id, all[id], n);
        least = values[size - 1];
      }
    }
  }

  private void insert(int id, float value, int n) {
    int at = size < n ? size++ : n - 1;
    while (at > 0 && values[at - 1] < value) {
      values[at] = values[at - 1];
      ids[at] = ids[at - 1];
      at--;
    }
    values[at] = value;
    ids[at] = id;
  }
}
