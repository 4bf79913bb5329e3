package org.chunkllama.schedule;

import java.util.function.Consumer;
import org.chunkllama.prefix.Pin;
import org.chunkllama.prefix.PrefixTree;

/** A prefix to compute and pin; generates nothing. */
final class Hold extends Continuation {
  private final long ttlNanos;
  private final Consumer<Pin> pinned;

  Hold(Group group, long ttlNanos, Consumer<Pin> pinned) {
    super(group);
    this.ttlNanos = ttlNanos;
    this.pinned = pinned;
  }

  @Override
  int weight() {
    return 1;
  }

  @Override
  boolean wantsLogits() {
    return false;
  }

  @Override
  int[] tokens() {
    return group.request.prompt();
  }

  @Override
  int generated() {
    return 0;
  }

  @Override
  void preempted() {}

  /** Its prefix is computed. */
  void pin(PrefixTree tree) {
    int[] prompt = group.request.prompt();
    Pin pin =
        tree.pin(prompt, prompt.length, group.request.salt(), ttlNanos, group.account().chunks);
    over = true;
    pinned.accept(pin);
  }

  @Override
  void cancel() {
    over = true;
  }
}
