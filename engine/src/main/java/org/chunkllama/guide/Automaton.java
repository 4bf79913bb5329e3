package org.chunkllama.guide;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.chunkllama.error.InvalidRequestException;
import org.jspecify.annotations.Nullable;

/**
 * Runs an {@link Nfa}: a state is the set of places in which it can be, each with the calls that
 * are open there. States are made when first reached and kept, so that a byte costs a look-up where
 * somebody was before. Belongs to one thread, once made.
 */
final class Automaton {
  /** Most calls inside each other: how deep JSON may nest. */
  static final int MOST_CALLS = 200;

  /** Most places at once. */
  private static final int MOST_PLACES = 20_000;

  /** States kept; beyond it all are forgotten and made again. */
  private static final int MOST_STATES = 50_000;

  /** A call that is open: where it goes on, and the calls around it. */
  private static final class Frame {
    final int to;
    final @Nullable Frame outer;
    final int id;
    final int depth;

    Frame(int to, @Nullable Frame outer, int id) {
      this.to = to;
      this.outer = outer;
      this.id = id;
      this.depth = outer == null ? 1 : outer.depth + 1;
    }
  }

  private record Place(int state, @Nullable Frame frame) {
    long key() {
      return (long) state << 32 | (frame == null ? 0 : frame.id);
    }
  }

  /** A set of places. */
  static final class State {
    private final Place[] places;
    private final @Nullable State[] next; // by class of bytes

    /** The text may end here. */
    final boolean accepts;

    /** Tokens that may come next; null until asked for. */
    @Nullable TokenSet allowed;

    private State(Place[] places, int classes, boolean accepts) {
      this.places = places;
      this.next = new State[classes];
      this.accepts = accepts;
    }

    /** Nothing may follow, and it is no end. */
    boolean isDead() {
      return places.length == 0 && !accepts;
    }
  }

  private final Nfa nfa;
  private final BitSet useful;
  private final BitSet ends = new BitSet(); // of rules
  private final int[] classes = new int[256];
  private final int classCount;
  private final State dead;
  private final Map<List<Long>, State> states = new HashMap<>();
  private final Map<Long, Frame> frames = new HashMap<>(); // by target and outer frame
  private int frameIds;
  private long made;

  /** Rule 0 of {@code nfa} is the whole text. */
  Automaton(Nfa nfa) {
    this.nfa = nfa;
    this.useful = Trimming.usefulStates(nfa);
    for (int rule = 0; rule < nfa.rules(); rule++) {
      ends.set(nfa.end(rule));
    }
    this.classCount = classify();
    this.dead = new State(new Place[0], classCount, false);
  }

  /** Bytes that no edge tells apart are one class. */
  private int classify() {
    BitSet cuts = new BitSet(257);
    for (int state = 0; state < nfa.size(); state++) {
      for (Nfa.Read read : nfa.reads(state)) {
        cuts.set(read.low());
        cuts.set(read.high() + 1);
      }
    }
    int count = 0;
    for (int b = 0; b < 256; b++) {
      count += b > 0 && cuts.get(b) ? 1 : 0;
      classes[b] = count;
    }
    return count + 1;
  }

  /** States made so far, forgotten ones included. */
  long made() {
    return made;
  }

  State start() {
    Closure closure = new Closure();
    closure.add(nfa.start(0), null);
    return closure.state();
  }

  /** The state behind a byte; a dead one if no text goes on so. */
  State next(State state, byte b) {
    int c = classes[b & 0xFF];
    State known = state.next[c];
    if (known == null) {
      known = step(state, b & 0xFF);
      state.next[c] = known;
    }
    return known;
  }

  private State step(State state, int b) {
    Closure closure = new Closure();
    for (Place place : state.places) {
      for (Nfa.Read read : nfa.reads(place.state())) {
        if (b >= read.low() && b <= read.high()) {
          closure.add(read.to(), place.frame());
        }
      }
    }
    return closure.state();
  }

  private @Nullable Frame frame(int to, @Nullable Frame outer) {
    if (outer != null && outer.depth == MOST_CALLS) {
      return null;
    }
    long key = (long) to << 32 | (outer == null ? 0 : outer.id);
    return frames.computeIfAbsent(key, _ -> new Frame(to, outer, ++frameIds));
  }

  /** Collects places, following what reads nothing. */
  private final class Closure {
    private final Map<Long, Place> seen = new HashMap<>();
    private final List<Place> open = new ArrayList<>();
    private boolean accepts;

    void add(int state, @Nullable Frame frame) {
      push(state, frame);
      while (!open.isEmpty()) {
        follow(open.removeLast());
      }
    }

    private void push(int state, @Nullable Frame frame) {
      if (!useful.get(state)) {
        return;
      }
      Place place = new Place(state, frame);
      if (seen.putIfAbsent(place.key(), place) == null) {
        open.add(place);
        if (seen.size() > MOST_PLACES) {
          throw new InvalidRequestException(
              "the guide is too ambiguous; give its alternatives different beginnings");
        }
      }
    }

    private void follow(Place place) {
      int state = place.state();
      Frame frame = place.frame();
      for (int to : nfa.skips(state)) {
        push(to, frame);
      }
      for (Nfa.Call call : nfa.calls(state)) {
        Frame inner = useful.get(call.to()) ? frame(call.to(), frame) : null;
        if (inner != null) {
          push(nfa.start(call.rule()), inner);
        }
      }
      if (frame != null && ends.get(state)) {
        push(frame.to, frame.outer);
      } else if (frame == null && state == nfa.end(0)) {
        accepts = true;
      }
    }

    State state() {
      Place[] reading =
          seen.values().stream().filter(p -> !nfa.reads(p.state()).isEmpty()).toArray(Place[]::new);
      if (reading.length == 0 && !accepts) {
        return dead;
      }
      Arrays.sort(reading, (a, b) -> Long.compare(a.key(), b.key()));
      List<Long> key = new ArrayList<>(reading.length + 1);
      key.add(accepts ? 1L : 0L);
      for (Place place : reading) {
        key.add(place.key());
      }
      if (states.size() == MOST_STATES) {
        states.clear();
        frames.clear();
      }
      return states.computeIfAbsent(
          key,
          _ -> {
            made++;
            return new State(reading, classCount, accepts);
          });
    }
  }

  /** Forgets all states but those that somebody still holds. */
  void forget() {
    states.clear();
    frames.clear();
  }
}
