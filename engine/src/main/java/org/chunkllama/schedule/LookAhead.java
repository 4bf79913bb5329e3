package org.chunkllama.schedule;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.model.LlamaModel;
import org.chunkllama.model.StepPlan;
import org.chunkllama.prefix.PrefixTree;
import org.chunkllama.prefix.Sequence;
import org.chunkllama.spi.KvCache;
import org.jspecify.annotations.Nullable;

/**
 * Plans the next step while the device computes this one, as it will be if every sequence goes on
 * by a token and nobody joins. Only a guess: it takes nothing from the pool and decides nothing.
 * The step itself is planned as ever, which costs little where the guess was right.
 */
final class LookAhead {
  private final PrefixTree tree;
  private final LiveSet lives;
  private final StepPlanner planner;
  private final LlamaModel model;
  private final KvCache cache;
  private final List<Live> next = new ArrayList<>();

  LookAhead(PrefixTree tree, LiveSet lives, StepPlanner planner, LlamaModel model, KvCache cache) {
    this.tree = tree;
    this.lives = lives;
    this.planner = planner;
    this.model = model;
    this.cache = cache;
  }

  /** Plans the next step and brings the plan to the device, if anything can be said about it. */
  void run() {
    next.clear();
    if (!lives.prefilling().isEmpty()) {
      return;
    }
    for (@Nullable Sequence s = tree.firstInOrder(); s != null; s = s.next()) {
      Live live = LiveSet.of(s);
      if (live.continuations.size() != 1
          || !(live.continuations.getFirst() instanceof Branch branch)) {
        return; // forks, or its beams do
      }
      if (!branch.isAtLimit()) {
        next.add(live);
      }
    }
    @Nullable StepPlan plan = next.isEmpty() ? null : planner.ahead(next, tree);
    if (plan != null) {
      model.prepare(plan, cache);
    }
  }
}
