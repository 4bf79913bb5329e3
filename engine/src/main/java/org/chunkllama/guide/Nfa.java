package org.chunkllama.guide;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.chunkllama.error.InvalidRequestException;

/**
 * An automaton over bytes under construction: states with edges that read a byte, edges that read
 * nothing, and calls. A call reads a text of a rule and goes on behind it, so rules may contain
 * themselves.
 */
final class Nfa {
  /** Most states. A guide of this size takes about 100 MB while it is made. */
  static final int MOST_STATES = 300_000;

  /** Reads a byte from {@code low} to {@code high}. */
  record Read(int low, int high, int to) {}

  /** Reads a text of {@code rule}, goes on at {@code to}. */
  record Call(int rule, int to) {}

  /** What leads from one state. */
  private static final class Edges {
    final List<Read> reads = new ArrayList<>(1);
    int[] skips = {};
    final List<Call> calls = new ArrayList<>(0);
  }

  private final List<Edges> states = new ArrayList<>();
  private final List<int[]> rules = new ArrayList<>(); // start, end

  int newState() {
    if (states.size() == MOST_STATES) {
      throw new InvalidRequestException(
          "the guide is too large; use smaller bounds of lengths and repetitions");
    }
    states.add(new Edges());
    return states.size() - 1;
  }

  int size() {
    return states.size();
  }

  void read(int from, int low, int high, int to) {
    states.get(from).reads.add(new Read(low, high, to));
  }

  void skip(int from, int to) {
    Edges edges = states.get(from);
    edges.skips = Arrays.copyOf(edges.skips, edges.skips.length + 1);
    edges.skips[edges.skips.length - 1] = to;
  }

  void call(int from, int rule, int to) {
    states.get(from).calls.add(new Call(rule, to));
  }

  /** A rule whose text runs from {@link #start} to {@link #end}. */
  int newRule() {
    rules.add(new int[] {newState(), newState()});
    return rules.size() - 1;
  }

  int rules() {
    return rules.size();
  }

  int start(int rule) {
    return rules.get(rule)[0];
  }

  int end(int rule) {
    return rules.get(rule)[1];
  }

  List<Read> reads(int state) {
    return states.get(state).reads;
  }

  int[] skips(int state) {
    return states.get(state).skips;
  }

  List<Call> calls(int state) {
    return states.get(state).calls;
  }
}
