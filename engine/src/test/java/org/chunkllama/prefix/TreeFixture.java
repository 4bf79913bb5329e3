package org.chunkllama.prefix;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.chunkllama.prefix.NaiveTree.Copy;
import org.junit.jupiter.api.AfterEach;

/**
 * A tree with chunks of 4 tokens, a clock that stands still, and a record of copies. Checked after
 * each test.
 */
abstract class TreeFixture {
  final List<Copy> copies = new ArrayList<>();
  long now = Long.MAX_VALUE - 5; // nanoTime may overflow
  PrefixTree tree = tree(32);

  PrefixTree tree(int chunks) {
    return new PrefixTree(chunks, 4, this::copy, () -> now, true);
  }

  private void copy(int from, int to, int slots) {
    copies.add(new Copy(from, to, slots));
  }

  @AfterEach
  void checkTree() {
    tree.check();
  }

  /** A prompt of one token per character. */
  static int[] text(String s) {
    return s.chars().toArray();
  }

  Sequence insert(String prompt) {
    return tree.insert(text(prompt), prompt.length(), "");
  }

  /** Inserts and computes all of it. */
  Sequence compute(String prompt) {
    Sequence s = insert(prompt);
    tree.computed(s, s.length());
    return s;
  }

  /** Inserts, computes and removes: leaves it retained. */
  void cache(String prompt) {
    tree.remove(compute(prompt));
  }

  void append(Sequence s, String tokens) {
    tokens.chars().forEach(token -> tree.append(s, token));
  }

  Match match(String prompt) {
    return tree.match(text(prompt), prompt.length(), "");
  }

  int ready(String prompt) {
    return match(prompt).readyTokens();
  }

  Pin pin(String prefix, long ttlNanos) {
    return tree.pin(text(prefix), prefix.length(), "", ttlNanos);
  }

  List<Integer> chunks(Sequence s) {
    return IntStream.range(0, s.chunkCount()).mapToObj(i -> s.chunkIds()[i]).toList();
  }

  List<Sequence> order() {
    List<Sequence> order = new ArrayList<>();
    for (Sequence s = tree.firstInOrder(); s != null; s = s.next()) {
      order.add(s);
    }
    return order;
  }

  static String string(Sequence s) {
    StringBuilder text = new StringBuilder();
    Arrays.stream(s.tokens()).forEach(token -> text.append((char) token));
    return text.toString();
  }
}
