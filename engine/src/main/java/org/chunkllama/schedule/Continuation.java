package org.chunkllama.schedule;

import org.jspecify.annotations.Nullable;

/** What wants the logits behind a sequence's last token: one completion, a beam search, a hold. */
abstract sealed class Continuation permits Branch, Beams, Hold {
  final Group group;

  /**
   * The live sequence it reads; null while it waits. Of a beam search, the one before its first
   * step.
   */
  @Nullable Live live;

  /** Its place in the queue; null while it runs. */
  @Nullable Entry entry;

  /** Ended, failed or cancelled. */
  boolean over;

  Continuation(Group group) {
    this.group = group;
  }

  /** Live sequences that it needs at most. */
  abstract int weight();

  /** Whether anything is drawn from its logits. */
  abstract boolean wantsLogits();

  /** Tokens whose KV must be there before it goes on: the prompt, and what it generated so far. */
  abstract int[] tokens();

  /** Generated tokens that a preemption keeps. */
  abstract int generated();

  /** Starts from the prompt again where it cannot go on from the middle. */
  abstract void preempted();

  /** Tells the listener that it was cancelled. */
  abstract void cancel();
}
