package org.chunkllama.schedule;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The requests that have not ended, and how they end: each takes all that it holds with it. */
final class Requests {
  private static final System.Logger LOG = System.getLogger(Requests.class.getName());

  private final LiveSet lives;
  private final WaitingQueue waiting;
  private final Admission admission;
  private final EngineCounters counters;
  private final Map<Long, Group> open = new HashMap<>();

  Requests(LiveSet lives, WaitingQueue waiting, Admission admission, EngineCounters counters) {
    this.lives = lives;
    this.waiting = waiting;
    this.admission = admission;
    this.counters = counters;
  }

  boolean isEmpty() {
    return open.isEmpty();
  }

  List<Group> all() {
    return new ArrayList<>(open.values());
  }

  @Nullable Group find(long id) {
    return open.get(id);
  }

  void add(Group group) {
    open.put(group.id, group);
  }

  /** Ends it well if all its completions ended. */
  void endIfAllOver(Group group) {
    if (!group.over && group.allOver()) {
      end(group);
      tell(group, () -> group.listener().done());
    }
  }

  /** Ends it with an error. */
  void fail(Group group, RuntimeException error) {
    if (!group.over) {
      try {
        end(group);
      } finally { // even if the tree is broken its caller must not wait for ever
        tell(group, () -> group.listener().failed(error));
      }
    }
  }

  /** Ends it because its caller wants no more. */
  void cancel(Group group) {
    if (group.over) {
      return;
    }
    tell(
        group,
        () -> {
          for (Continuation continuation : group.continuations) {
            if (!continuation.over) {
              continuation.cancel();
            }
          }
        });
    end(group);
    tell(group, () -> group.listener().done());
  }

  private void end(Group group) {
    group.end();
    open.remove(group.id);
    counters.requests++;
    for (Continuation continuation : group.continuations) {
      release(continuation);
    }
    admission.changed();
  }

  private void release(Continuation continuation) {
    continuation.over = true;
    Entry entry = continuation.entry;
    if (entry != null) {
      continuation.entry = null;
      waiting.remove(entry);
    }
    if (continuation instanceof Beams beams) {
      beams.lanes.forEach(lane -> detach(beams, lane));
      beams.lanes.clear();
    }
    Live live = continuation.live;
    if (live != null) {
      continuation.live = null;
      detach(continuation, live);
    }
  }

  /** A sequence that serves nobody any more leaves the tree. */
  private void detach(Continuation continuation, Live live) {
    live.continuations.remove(continuation);
    if (live.continuations.isEmpty() && !live.gone) {
      lives.remove(live);
    }
  }

  private static void tell(Group group, Runnable message) {
    try {
      message.run();
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.WARNING, "the listener of request " + group.id + " failed", e);
    }
  }
}
