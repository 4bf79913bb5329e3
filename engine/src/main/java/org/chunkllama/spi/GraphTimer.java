package org.chunkllama.spi;

import org.chunkllama.plan.AttentionPlan;

/** What a backend offers that can repeat recorded work and take times on the device. */
public interface GraphTimer {
  /**
   * Time that the device takes for {@code operations}, recorded once and repeated: the median of
   * {@code rounds}, in microseconds.
   *
   * @param cache the cache they use; attention has run over it once at least
   * @param plan the plan they use
   * @param rounds 1 or more
   * @param operations as for {@link Backend#step}
   */
  double medianMicros(KvCache cache, AttentionPlan plan, int rounds, Runnable operations);

  /**
   * Brings a plan to the device as the begin of a step does, without waiting for it.
   *
   * @param cache the cache it is for; attention has run over it once at least
   */
  void send(KvCache cache, AttentionPlan plan);
}
