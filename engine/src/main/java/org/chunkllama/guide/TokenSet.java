package org.chunkllama.guide;

import java.util.Arrays;

/** A set of token ids: listed if they are few, else a bit each. */
final class TokenSet {
  private final int[] few; // sorted; empty if bits
  private final long[] bits; // empty if few
  private final int size;

  /** {@code ids}: the first {@code count} count; sorted here. */
  TokenSet(int[] ids, int count, int vocabulary) {
    size = count;
    if (count <= vocabulary / 32) {
      few = Arrays.copyOf(ids, count);
      Arrays.sort(few);
      bits = new long[0];
    } else {
      few = new int[0];
      bits = new long[(vocabulary + 63) / 64];
      for (int i = 0; i < count; i++) {
        bits[ids[i] >> 6] |= 1L << ids[i];
      }
    }
  }

  boolean isEmpty() {
    return size == 0;
  }

  int size() {
    return size;
  }

  boolean contains(int id) {
    return bits.length > 0
        ? id >> 6 < bits.length && (bits[id >> 6] & 1L << id) != 0
        : Arrays.binarySearch(few, id) >= 0;
  }

  /** Bytes that it takes. */
  int memory() {
    return 8 * bits.length + 4 * few.length;
  }

  /**
   * Adds its tokens to a mask.
   *
   * @param mask a bit per token, {@code words} longs from {@code from} on
   */
  void addTo(long[] mask, int from, int words) {
    for (int word = 0; word < Math.min(words, bits.length); word++) {
      mask[from + word] |= bits[word];
    }
    for (int id : few) {
      if (id >> 6 < words) {
        mask[from + (id >> 6)] |= 1L << id;
      }
    }
  }

  /** Sets all other logits to minus infinity. */
  void keepOnly(float[] logits) {
    if (bits.length == 0) {
      keepFew(logits);
      return;
    }
    for (int word = 0; word << 6 < logits.length; word++) {
      long kept = word < bits.length ? bits[word] : 0;
      int from = word << 6;
      int to = Math.min(logits.length, from + 64);
      if (kept == 0) {
        Arrays.fill(logits, from, to, Float.NEGATIVE_INFINITY);
      } else if (kept != -1L) {
        for (int id = from; id < to; id++) {
          if ((kept & 1L << id) == 0) {
            logits[id] = Float.NEGATIVE_INFINITY;
          }
        }
      }
    }
  }

  private void keepFew(float[] logits) {
    int from = 0;
    for (int id : few) {
      if (id < logits.length) {
        Arrays.fill(logits, from, id, Float.NEGATIVE_INFINITY);
        from = id + 1;
      }
    }
    Arrays.fill(logits, from, logits.length, Float.NEGATIVE_INFINITY);
  }
}
