package org.chunkllama.schedule;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.chunkllama.error.DeviceException;
import org.chunkllama.error.PoolExhaustedException;
import org.chunkllama.error.TenantLimitException;
import org.chunkllama.prefix.PrefixTree;
import org.chunkllama.sample.BeamSearch;
import org.chunkllama.sample.DrawBatch;
import org.chunkllama.sample.Sampler;
import org.chunkllama.spi.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * From logits to longer sequences, in three passes: all draw, on the device where it can; what
 * ended leaves and frees its chunks; the rest fork and grow, lowest rank first. Between {@link
 * #begin} and {@link #finish} the device may still be computing.
 */
final class OutputStage {
  private final PrefixTree tree;
  private final LiveSet lives;
  private final Room room;
  private final Requests requests;
  private final Sampler sampler;
  private final DrawBatch draws;
  private final EngineCounters counters;
  private final boolean tellsLater;
  private final List<Live> growing = new ArrayList<>();

  /**
   * The stage of one engine.
   *
   * @param tellsLater leaves what listeners hear to the next step, if it decides nothing
   */
  OutputStage(
      PrefixTree tree,
      LiveSet lives,
      Room room,
      Requests requests,
      Sampler sampler,
      DrawBatch draws,
      EngineCounters counters,
      boolean tellsLater) {
    this.tree = tree;
    this.lives = lives;
    this.room = room;
    this.requests = requests;
    this.sampler = sampler;
    this.draws = draws;
    this.counters = counters;
    this.tellsLater = tellsLater;
  }

  /**
   * Begins the draws of the sequences that {@code batch} completed; {@code logits} has their rows.
   */
  void begin(StepBatch batch, Tensor logits, int outputs) {
    draws.begin(logits, outputs);
    for (int i = 0; i < batch.completed.size(); i++) {
      prepare(batch.completed.get(i), batch.outputRow[i]);
    }
    draws.start();
  }

  /** Waits for the draws, and handles what comes of them. */
  void finish(StepBatch batch, StepClock clock) {
    draws.finish();
    clock.drawn();
    for (int i = 0; i < batch.completed.size(); i++) {
      draw(batch.completed.get(i), batch.outputRow[i]);
    }
    growing.clear();
    for (Live live : batch.completed) {
      leave(live);
    }
    if (tree.available() < 2 * growing.size()) {
      growing.sort(Comparator.comparingLong(live -> live.rank));
    }
    for (Live live : growing) {
      if (!live.gone) {
        grow(live);
      }
    }
  }

  private void prepare(Live live, int row) {
    for (Continuation continuation : List.copyOf(live.continuations)) {
      if (continuation instanceof Branch branch) {
        try {
          branch.prepare(draws, row);
        } catch (DeviceException e) {
          throw e;
        } catch (RuntimeException e) { // its guide's, not the step's
          requests.fail(branch.group, e);
        }
      }
    }
  }

  private void draw(Live live, int row) {
    for (Continuation continuation : List.copyOf(live.continuations)) {
      try {
        draw(live, continuation, row);
      } catch (DeviceException e) { // where a device's fault shows: it is of the whole step
        throw e;
      } catch (RuntimeException e) { // whatever one request's options or listener cause is its own
        requests.fail(continuation.group, e);
      }
    }
  }

  private void draw(Live live, Continuation continuation, int row) {
    switch (continuation) {
      case Branch branch -> {
        branch.draw(draws, row, sampler);
        counters.generatedTokens++;
        branch.group.noteToken(counters);
        if (tellsLater && branch.canTellLater()) {
          requests.tellLater(branch);
        } else {
          branch.tell();
        }
      }
      case Beams beams -> {
        beams.search().offer(live.beam, draws.row(row));
        beams.group.noteToken(counters);
      }
      case Hold hold -> hold.pin(tree);
    }
  }

  /** Removes what ended; notes what goes on. */
  private void leave(Live live) {
    for (Continuation continuation : List.copyOf(live.continuations)) {
      if (continuation.over) {
        live.continuations.remove(continuation);
        continuation.live = null;
        requests.endIfAllOver(continuation.group);
      }
    }
    if (live.gone) {
      return; // its request failed
    }
    if (live.continuations.isEmpty()) {
      lives.remove(live);
    } else if (!(live.continuations.getFirst() instanceof Beams)
        || live.beam == 0
        || live.continuations.size() > 1) {
      growing.add(live); // a beam search once, by its first lane
    }
  }

  private void grow(Live live) {
    Group group = live.continuations.getFirst().group;
    try {
      while (live.continuations.size() > 1) {
        group = live.continuations.getLast().group;
        @Nullable Live own = room.fork(live);
        if (own == null) {
          return;
        }
        Continuation moved = live.continuations.removeLast();
        own.rank = group.rank();
        own.add(moved);
        extend(own, moved);
        if (live.gone) {
          return;
        }
      }
      group = live.continuations.getFirst().group;
      live.rank = group.rank();
      extend(live, live.continuations.getFirst());
    } catch (PoolExhaustedException | TenantLimitException e) {
      requests.fail(group, e);
    }
  }

  private void extend(Live live, Continuation continuation) {
    switch (continuation) {
      case Branch branch -> {
        boolean _ = room.append(live, branch.lastToken());
      }
      case Beams beams -> extendBeams(live, beams);
      case Hold _ -> throw new IllegalStateException("a hold goes on after its prompt");
    }
  }

  private void extendBeams(Live live, Beams beams) {
    if (beams.lanes.isEmpty()) {
      beams.lanes.add(live);
    }
    BeamSearch search = beams.search();
    if (search.advance()) {
      respread(beams, search);
      return;
    }
    List<Live> lanes = List.copyOf(beams.lanes);
    try {
      beams.finish();
    } catch (RuntimeException e) {
      requests.fail(beams.group, e);
      return;
    }
    counters.generatedTokens +=
        search.results().stream().mapToInt(result -> result.tokens().length).sum();
    beams.live = null;
    lanes.forEach(lives::remove);
    requests.endIfAllOver(beams.group);
  }

  /**
   * Gives each next beam the sequence of its parent, or a fork if a sibling has it, and its token.
   */
  private void respread(Beams beams, BeamSearch search) {
    List<Live> parents = List.copyOf(beams.lanes);
    Live[] next = new Live[search.running()];
    boolean[] taken = new boolean[parents.size()];
    for (int i = 0; i < next.length; i++) {
      int parent = search.parent(i);
      if (!taken[parent]) {
        taken[parent] = true;
        next[i] = parents.get(parent);
      }
    }
    for (int p = 0; p < taken.length; p++) {
      if (!taken[p]) {
        beams.lanes.remove(parents.get(p));
        lives.remove(parents.get(p));
      }
    }
    for (int i = 0; i < next.length; i++) {
      if (next[i] == null) {
        @Nullable Live forked = room.fork(parents.get(search.parent(i)));
        if (forked == null) {
          return; // preempted: the search starts over
        }
        forked.continuations.add(beams);
        beams.lanes.add(forked);
        next[i] = forked;
      }
    }
    beams.lanes = new ArrayList<>(List.of(next));
    for (int i = 0; i < next.length; i++) {
      next[i].beam = i;
    }
    for (int i = 0; i < next.length && room.append(next[i], search.token(i)); i++) {
      // a preemption starts the search over
    }
  }
}
