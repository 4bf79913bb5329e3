package org.chunkllama.schedule;

/** Where a step's time goes. */
final class StepClock {
  private final EngineCounters counters;
  private StepEvent event = new StepEvent();
  private long begun;
  private long planned;
  private long computed;
  private long drawn; // 0 if no step went right before
  private long gap;
  private final boolean queues;

  /** {@code queues}: a forward pass only queues work, so the device has it when that is over. */
  StepClock(EngineCounters counters, boolean queues) {
    this.counters = counters;
    this.queues = queues;
  }

  /** Nothing to do. */
  void idle() {
    drawn = 0;
  }

  void begin() {
    event = new StepEvent();
    event.begin();
    begun = System.nanoTime();
    planned = 0;
    computed = 0;
    gap = 0;
  }

  void planned() {
    planned = System.nanoTime();
  }

  void computed() {
    computed = System.nanoTime();
    gap = drawn == 0 ? 0 : (queues ? computed : planned) - drawn;
    drawn = 0;
  }

  /** The step's tokens are there, or can be read. */
  void drawn() {
    drawn = System.nanoTime();
  }

  /** Counts a step; one that failed on its way counts as far as it came. */
  void end(StepBatch batch, int running, int waiting, int chunksShared) {
    long now = System.nanoTime();
    long afterPlan = planned == 0 ? now : planned;
    long afterModel = computed == 0 ? now : computed;
    counters.steps++;
    counters.planNanos += afterPlan - begun;
    counters.modelNanos += afterModel - afterPlan;
    counters.outputNanos += now - afterModel;
    counters.gapNanos += gap;
    long prefill = (now - begun) * batch.promptRows / batch.rows;
    counters.prefillNanos += prefill;
    counters.decodeNanos += now - begun - prefill;
    if (event.shouldCommit()) {
      event.rows = batch.rows;
      event.promptRows = batch.promptRows;
      event.running = running;
      event.waiting = waiting;
      event.chunksShared = chunksShared;
      event.planNanos = afterPlan - begun;
      event.gapNanos = gap;
      event.modelNanos = afterModel - afterPlan;
      event.outputNanos = now - afterModel;
      event.commit();
    }
  }
}
