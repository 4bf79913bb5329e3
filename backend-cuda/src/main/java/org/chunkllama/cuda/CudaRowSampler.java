package org.chunkllama.cuda;

import org.chunkllama.cuda.driver.CudaModule;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.GpuProperties;
import org.chunkllama.cuda.driver.Kernel;
import org.chunkllama.cuda.driver.Owned;
import org.chunkllama.spi.Arguments;
import org.chunkllama.spi.RowDraws;
import org.chunkllama.spi.RowSampler;
import org.chunkllama.spi.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Draws in one launch ({@code draw.cu}): gangs of blocks take a row each, every block a part of it
 * that its shared memory holds. What is wanted goes there in one copy, what came of it back in one.
 * Draws that do not fit one copy go one after the other.
 */
final class CudaRowSampler implements RowSampler, AutoCloseable {
  private static final int THREADS = 512;

  /** Tokens of a row that keep a block busy. */
  private static final int PART_LEAST = 4096;

  private static final String SOURCE = "draw.cu";
  private static final String CONSTANT = "THREADS=" + THREADS;

  /** Sums of weights stay exact below this. */
  private static final int VOCABULARY_MAX = 1 << 19;

  private final Owned owned = new Owned();
  private final CudaDevice device;
  private final Kernel draw;
  private final DrawTable table;
  private @Nullable CudaTensor logits; // of the draws that were begun
  private final DeviceMemory gangs;
  private final int gangsMax;
  private final int sharedBytes; // beside a part of the row
  private final int partMost; // tokens that a block can hold
  private final int partsMax;
  private @Nullable RowDraws likeliest;

  static void prepare(CudaDevice device) {
    device.kernels.prepare(SOURCE, CONSTANT);
  }

  CudaRowSampler(CudaDevice device) {
    this.device = device;
    GpuProperties gpu = device.context.properties();
    CudaModule module = device.kernels.module(SOURCE, CONSTANT);
    draw = module.kernel("draw", 8);
    draw.allowShared(gpu.sharedBytesMax());
    sharedBytes = module.constant("draw_shared_bytes");
    partMost = (gpu.sharedBytesMax() - sharedBytes) / Float.BYTES / 4 * 4;
    gangsMax = gpu.multiprocessors();
    partsMax = Math.min(module.constant("draw_parts_max"), gangsMax);
    long gangBytes = (long) gangsMax * module.constant("draw_gang_bytes");
    try {
      gangs = owned.add(device.allocate(gangBytes, "sampling"));
      gangs.fill(0, 0, gangs.bytes(), device.stream);
      table = owned.add(new DrawTable(device));
    } catch (Throwable e) {
      owned.closeAfter(e);
      throw e;
    }
  }

  /** Whether rows of so many logits can be drawn from. */
  boolean takes(int vocabulary) {
    return vocabulary <= VOCABULARY_MAX && vocabulary <= (long) partMost * partsMax;
  }

  @Override
  public void start(Tensor logits, RowDraws draws) {
    CudaTensor from = CudaOperations.OURS.tensor("logits", logits, 0, draws.vocabulary());
    Arguments.indices("row", draws.row, draws.count, from.rows());
    device.context.bind();
    this.logits = from;
    start(from, draws, 0);
  }

  @Override
  public void finish(RowDraws draws) {
    if (logits == null) {
      throw new IllegalStateException("no draws were begun");
    }
    device.context.bind();
    while (draws.count > 0) {
      table.receive(draws);
      device.idle.passed();
      if (table.end() == draws.count) {
        break;
      }
      start(logits, draws, table.end());
    }
    logits = null;
  }

  private void start(CudaTensor from, RowDraws draws, int first) {
    if (first < draws.count) {
      table.send(draws, first);
      launch(from, table.items());
      table.fetch();
      device.idle.stepEnds();
    }
  }

  /** See {@link org.chunkllama.spi.Backend#argmax}; arguments are checked. */
  void likeliest(CudaTensor in, int rows, int[] indices) {
    RowDraws draws = likeliest;
    if (draws == null || draws.vocabulary() != in.columns()) {
      draws = new RowDraws(in.columns());
      likeliest = draws;
    }
    draws.clear();
    for (int r = 0; r < rows; r++) {
      int i = draws.add(r); // may grow the arrays
      draws.token[i] = RowDraws.BROKEN;
    }
    if (takes(in.columns())) {
      start(in, draws);
      finish(draws);
    }
    for (int r = 0; r < rows; r++) {
      indices[r] = draws.token[r] == RowDraws.BROKEN ? onHost(in, r) : draws.token[r];
    }
  }

  /** Of a row whose largest value is not finite, or that is too long for the GPU. */
  private static int onHost(CudaTensor in, int row) {
    float[] values = new float[in.columns()];
    in.read(row, values, 0);
    int best = 0;
    for (int i = 0; i < values.length; i++) {
      if (Float.isNaN(values[i])) {
        throw new IllegalStateException(
            "row " + row + " of the model's logits holds NaN; its weights or its input are broken");
      }
      best = values[i] > values[best] ? i : best;
    }
    return best;
  }

  private void launch(CudaTensor logits, int items) {
    int columns = logits.columns();
    int parts = Math.min(gangsMax / items, (columns + PART_LEAST - 1) / PART_LEAST);
    parts = Math.clamp(parts, (columns + partMost - 1) / partMost, partsMax);
    int part = (columns + 4 * parts - 1) / (4 * parts) * 4;
    draw.call()
        .with(table.memory())
        .with(items)
        .with(logits.memory())
        .with(columns)
        .with(table.memory(), table.editsOffset())
        .with(table.memory(), table.masksOffset())
        .with(gangs)
        .with(table.results())
        .launchTogether(
            device.stream,
            parts,
            Math.min(items, gangsMax / parts),
            THREADS,
            sharedBytes + part * Float.BYTES,
            false);
  }

  @Override
  public void close() {
    owned.close();
  }
}
