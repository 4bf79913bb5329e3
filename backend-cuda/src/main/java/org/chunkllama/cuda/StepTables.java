package org.chunkllama.cuda;

import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.Owned;
import org.chunkllama.spi.StepInputs;
import org.jspecify.annotations.Nullable;

/**
 * What a step reads beside weights, activations and the cache: token ids, positions, rows of
 * outputs and its plan's tables, on the GPU at addresses that recorded work can rely on.
 *
 * <p>A step begins with sending what is not there already; all but tokens may be sent ahead.
 * Outside a step indices are sent whenever they are asked for. Once tables are large enough nothing
 * is allocated.
 */
final class StepTables implements AutoCloseable {
  private final Owned owned = new Owned();
  private final CudaAttention attention;
  private final IndexTable tokens;
  private final IndexTable positions;
  private final IndexTable outputRows;
  private @Nullable PlanTables plan; // of the step

  /** {@code attention}: has a cache's tables. */
  StepTables(CudaDevice device, CudaAttention attention) {
    this.attention = attention;
    try {
      tokens = owned.add(new IndexTable(device, "token id"));
      positions = owned.add(new IndexTable(device, "position"));
      outputRows = owned.add(new IndexTable(device, "row"));
    } catch (Throwable e) {
      owned.closeAfter(e);
      throw e;
    }
  }

  /**
   * Sends what a step to come will probably read, but for the tokens. Plans go along once attention
   * has run over the cache.
   */
  void prepare(CudaKvCache cache, StepInputs inputs) {
    PlanTables tables = attention.lastTables(cache);
    if (tables != null) {
      tables.prepare(inputs.attention());
    }
    positions.prepare(inputs.positions(), inputs.attention().rows);
    outputRows.prepare(inputs.outputRows(), inputs.outputs());
  }

  /** Sends what differs from what is there; until {@link #end} nothing is sent again. */
  void begin(CudaKvCache cache, StepInputs inputs) {
    tokens.begin(inputs.tokens(), inputs.attention().rows);
    positions.begin(inputs.positions(), inputs.attention().rows);
    outputRows.begin(inputs.outputRows(), inputs.outputs());
    plan = attention.lastTables(cache);
    if (plan != null) {
      plan.begin(inputs.attention());
    }
  }

  /** The step is over, or did not begin: arrays and plan may change. */
  void end() {
    tokens.end();
    positions.end();
    outputRows.end();
    if (plan != null) {
      plan.end();
      plan = null;
    }
  }

  /**
   * A cache's tables, to take times with.
   *
   * @throws IllegalStateException if attention has not run over the cache since it was last tuned
   */
  PlanTables toTime(CudaKvCache cache) {
    PlanTables tables = attention.lastTables(cache);
    if (tables == null) {
      throw new IllegalStateException("run attention over the cache before timing it");
    }
    return tables;
  }

  /** {@code values[0, count)}, each in [0, bound): rows of the embedding. */
  DeviceMemory tokens(int[] values, int count, int bound) {
    return tokens.of(values, count, bound);
  }

  /** {@code values[0, count)}, each in [0, bound): places in a sequence. */
  DeviceMemory positions(int[] values, int count, int bound) {
    return positions.of(values, count, bound);
  }

  /** {@code values[0, count)}, each in [0, bound): rows whose results are wanted. */
  DeviceMemory outputRows(int[] values, int count, int bound) {
    return outputRows.of(values, count, bound);
  }

  @Override
  public void close() {
    owned.close();
  }
}
