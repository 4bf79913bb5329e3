package org.chunkllama.guide;

import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;
import org.chunkllama.error.InvalidRequestException;

/** Which states lead to an end, and whether rules call themselves without reading anything. */
final class Trimming {
  private final Nfa nfa;

  /** States from which the end of their rule can be reached. */
  final BitSet useful = new BitSet();

  private Trimming(Nfa nfa) {
    this.nfa = nfa;
  }

  /**
   * Examines a finished automaton.
   *
   * @throws InvalidRequestException if no text matches, or a rule begins with itself
   */
  static BitSet usefulStates(Nfa nfa) {
    Trimming trimming = new Trimming(nfa);
    trimming.findUseful();
    if (!trimming.useful.get(nfa.start(0))) {
      throw new InvalidRequestException("no finite text fits the guide");
    }
    trimming.refuseLeftRecursion();
    return trimming.useful;
  }

  private void findUseful() {
    for (int rule = 0; rule < nfa.rules(); rule++) {
      useful.set(nfa.end(rule));
    }
    boolean changed = true;
    while (changed) { // backwards, as states are mostly written front to back
      changed = false;
      for (int state = nfa.size() - 1; state >= 0; state--) {
        if (!useful.get(state) && leadsOn(state)) {
          useful.set(state);
          changed = true;
        }
      }
    }
  }

  private boolean leadsOn(int state) {
    for (int to : nfa.skips(state)) {
      if (useful.get(to)) {
        return true;
      }
    }
    for (Nfa.Read read : nfa.reads(state)) {
      if (useful.get(read.to())) {
        return true;
      }
    }
    for (Nfa.Call call : nfa.calls(state)) {
      if (useful.get(call.to()) && useful.get(nfa.start(call.rule()))) {
        return true;
      }
    }
    return false;
  }

  /** Rules read something in all that they match, so only what they begin with counts. */
  private void refuseLeftRecursion() {
    BitSet[] begins = new BitSet[nfa.rules()];
    for (int rule = 0; rule < begins.length; rule++) {
      begins[rule] = begins(rule);
    }
    int[] mark = new int[begins.length]; // 1 = being visited, 2 = done
    for (int rule = 0; rule < begins.length; rule++) {
      visit(rule, begins, mark, 0);
    }
  }

  private static void visit(int rule, BitSet[] begins, int[] mark, int depth) {
    if (depth > Automaton.MOST_CALLS) {
      throw new InvalidRequestException(
          "JSON schema: more than %d of '$ref' lead from one to the next"
              .formatted(Automaton.MOST_CALLS));
    }
    if (mark[rule] == 1) {
      throw new InvalidRequestException(
          "JSON schema: a '$ref' leads back to itself without a value between");
    }
    if (mark[rule] == 0) {
      mark[rule] = 1;
      begins[rule].stream().forEach(next -> visit(next, begins, mark, depth + 1));
      mark[rule] = 2;
    }
  }

  private BitSet begins(int rule) {
    BitSet called = new BitSet();
    BitSet seen = new BitSet();
    Deque<Integer> open = new ArrayDeque<>();
    open.add(nfa.start(rule));
    while (!open.isEmpty()) {
      int state = open.pop();
      if (!seen.get(state)) {
        seen.set(state);
        for (int to : nfa.skips(state)) {
          open.push(to);
        }
        for (Nfa.Call call : nfa.calls(state)) {
          called.set(call.rule());
        }
      }
    }
    return called;
  }
}
