package org.chunkllama.schedule;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.RowDraws;
import org.chunkllama.spi.RowSampler;
import org.chunkllama.spi.StepInputs;
import org.chunkllama.spi.Tensor;

/**
 * The reference backend as if it queued its steps and drew by itself: what a caller does between a
 * step and its tokens is written down, and whether a step is the one that was prepared.
 */
final class QueueingBackend implements RowSampler {
  private final SamplingBackend sampling = new SamplingBackend(0);
  private long prepared = -1; // revision

  /** What happened since it was cleared: step, start, prepare, finish, and what a test adds. */
  final List<String> events = new ArrayList<>();

  /** Throws at the first call of this kind. */
  String faultAt = "";

  /** Steps of one row a sequence. */
  int steps;

  /** Those that were prepared exactly so. */
  int foreseen;

  private void event(String kind) {
    events.add(kind);
    if (kind.equals(faultAt)) {
      faultAt = "";
      throw new IllegalStateException("device fault at " + kind);
    }
  }

  Backend backend() {
    return FrontBackend.of(
        sampling.backend(),
        (method, arguments, pass) ->
            switch (method) {
              case "queuesSteps" -> true;
              case "rowSampler" -> Optional.of(this);
              case "prepareStep" -> {
                event("prepareStep");
                prepared = ((StepInputs) arguments[1]).attention().revision;
                yield null;
              }
              case "step" -> {
                event("step");
                count((StepInputs) arguments[2]);
                yield pass.on();
              }
              default -> pass.on();
            });
  }

  private void count(StepInputs inputs) {
    AttentionPlan plan = inputs.attention();
    if (inputs.outputs() == plan.rows) {
      steps++;
      foreseen += plan.revision == prepared ? 1 : 0;
    }
    prepared = -1;
  }

  @Override
  public void start(Tensor logits, RowDraws draws) {
    event("start");
    sampling.start(logits, draws);
  }

  @Override
  public void finish(RowDraws draws) {
    event("finish");
    sampling.finish(draws);
  }
}
