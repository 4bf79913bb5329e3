package org.chunkllama.bench;

import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.spi.GraphTimer;
import org.chunkllama.spi.KvCache;

/** A device's clock that always shows the same: operations run once. */
final class FakeTimer implements GraphTimer {
  int sent;
  int sharedSegments; // of the plan that was timed last

  @Override
  public double medianMicros(KvCache cache, AttentionPlan plan, int rounds, Runnable operations) {
    operations.run();
    sharedSegments = 0;
    for (int i = 0; i < plan.segments; i++) {
      sharedSegments += plan.segmentRows[i] > 1 ? 1 : 0;
    }
    return 1000;
  }

  @Override
  public void send(KvCache cache, AttentionPlan plan) {
    sent += plan.rows;
  }
}
