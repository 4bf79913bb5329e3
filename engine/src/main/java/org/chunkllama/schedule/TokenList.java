package org.chunkllama.schedule;

import java.util.Arrays;

/** A growing list of token ids. */
final class TokenList {
  private int[] tokens = new int[16];
  private int size;

  void add(int token) {
    if (size == tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * size);
    }
    tokens[size++] = token;
  }

  int size() {
    return size;
  }

  /** The backing array; the first {@link #size} entries count. */
  int[] array() {
    return tokens;
  }

  /** {@code head} followed by this list. */
  int[] after(int[] head) {
    int[] all = Arrays.copyOf(head, head.length + size);
    System.arraycopy(tokens, 0, all, head.length, size);
    return all;
  }
}
