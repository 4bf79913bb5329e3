package org.chunkllama.schedule;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A prompt of one request that waits for chunks, with all that continues it. */
final class Entry {
  final PromptKey key;
  final Group group;
  final List<Continuation> continuations;

  /** Leading tokens that were counted as computed or reused before a preemption. */
  final int counted;

  /** How often a younger one was admitted while this had no room. */
  int bypassed;

  /** {@code continuations}: one or more of one group, equal in their tokens. */
  Entry(List<Continuation> continuations, int counted) {
    Continuation first = continuations.getFirst();
    this.group = first.group;
    this.key = new PromptKey(first.tokens(), group.request.salt());
    this.counted = counted;
    this.continuations = new ArrayList<>(continuations);
    for (Continuation continuation : continuations) {
      continuation.entry = this;
    }
  }

  /** The order of the queue, lower first. */
  long rank() {
    return group.rank();
  }

  int[] tokens() {
    return key.tokens;
  }

  String salt() {
    return key.salt;
  }

  int weight() {
    int weight = 0;
    for (Continuation continuation : continuations) {
      weight += continuation.weight();
    }
    return weight;
  }

  /** Tokens and salt, compared by value; the hash is computed once. */
  static final class PromptKey {
    final int[] tokens;
    final String salt;
    private final int hash;

    PromptKey(int[] tokens, String salt) {
      this.tokens = tokens;
      this.salt = salt;
      this.hash = 31 * Arrays.hashCode(tokens) + salt.hashCode();
    }

    @Override
    public int hashCode() {
      return hash;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof PromptKey key
          && hash == key.hash
          && salt.equals(key.salt)
          && Arrays.equals(tokens, key.tokens);
    }
  }
}
