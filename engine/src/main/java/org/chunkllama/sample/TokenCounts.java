package org.chunkllama.sample;

import java.util.Arrays;

/**
 * How often each token occurred: what penalties need. Prompt tokens are known with count 0. Open
 * addressing; {@link #add} is amortised O(1), walking it is O(distinct tokens).
 */
final class TokenCounts {
  private int[] tokens = new int[64]; // [size] distinct tokens
  private int[] counts = new int[64]; // [size] times in the output
  private int[] slots = new int[128]; // index + 1 into tokens, 0 = free; length a power of 2
  private int size;

  /** Distinct tokens. */
  int size() {
    return size;
  }

  /** The i-th distinct token, in order of first occurrence. */
  int token(int i) {
    return tokens[i];
  }

  /** How often the i-th distinct token is in the output. */
  int count(int i) {
    return counts[i];
  }

  /** Adds {@code times} occurrences in the output; 0 for a token of the prompt. */
  void add(int token, int times) {
    int slot = slotOf(token);
    if (slots[slot] == 0) {
      if (size == tokens.length) {
        grow();
        slot = slotOf(token);
      }
      tokens[size] = token;
      counts[size] = 0;
      slots[slot] = ++size;
    }
    counts[slots[slot] - 1] += times;
  }

  private int slotOf(int token) {
    int mask = slots.length - 1;
    int slot = ((token * 0x9E3779B9) >>> 7) & mask;
    while (slots[slot] != 0 && tokens[slots[slot] - 1] != token) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private void grow() {
    tokens = Arrays.copyOf(tokens, 2 * size);
    counts = Arrays.copyOf(counts, 2 * size);
    slots = new int[2 * slots.length];
    for (int i = 0; i < size; i++) {
      slots[slotOf(tokens[i])] = i + 1;
    }
  }
}
