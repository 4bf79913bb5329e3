package org.chunkllama.schedule;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.chunkllama.error.DeadlineException;
import org.jspecify.annotations.Nullable;

/** The requests that have not ended, and how they end: each takes all that it holds with it. */
final class Requests {
  private static final System.Logger LOG = System.getLogger(Requests.class.getName());

  private final LiveSet lives;
  private final WaitingQueue waiting;
  private final Admission admission;
  private final EngineCounters counters;
  private final Deadlines deadlines = new Deadlines();
  private final Map<Long, Group> open = new HashMap<>();
  private final Deque<Branch> untold = new ArrayDeque<>(); // have a token more than was told

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
    deadlines.add(group);
  }

  /** Has a listener told of its branch's last token by the next {@link #tellAll}. */
  void tellLater(Branch branch) {
    untold.add(branch);
  }

  /** Tells listeners what they have not heard yet; what one of them throws fails its request. */
  void tellAll() {
    for (Branch branch = untold.poll(); branch != null; branch = untold.poll()) {
      if (!branch.over) {
        try {
          branch.tell();
        } catch (RuntimeException e) {
          fail(branch.group, e);
        }
      }
    }
  }

  /** Fails those whose deadline passed. */
  void failLate() {
    for (Group group : deadlines.passed()) {
      counters.deadlines++;
      fail(
          group,
          new DeadlineException(
              "the request did not end before its deadline; allow more time or ask for less"));
    }
  }

  /** Ends it well if all its completions ended. */
  void endIfAllOver(Group group) {
    if (!group.over && group.allOver()) {
      end(group, "done");
      tell(group, () -> group.listener().done());
    }
  }

  /** Ends it with an error. */
  void fail(Group group, RuntimeException error) {
    tellAll();
    if (!group.over) {
      try {
        end(group, error.getClass().getSimpleName());
      } finally { // even if the tree is broken its caller must not wait for ever
        tell(group, () -> group.listener().failed(error));
      }
    }
  }

  /** Ends it because its caller wants no more. */
  void cancel(Group group) {
    tellAll();
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
    end(group, "cancelled");
    tell(group, () -> group.listener().done());
  }

  private void end(Group group, String outcome) {
    group.end(outcome);
    open.remove(group.id);
    deadlines.remove(group);
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
