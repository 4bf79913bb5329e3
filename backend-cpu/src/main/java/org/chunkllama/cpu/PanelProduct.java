package org.chunkllama.cpu;

import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/**
 * Products in fp32 by the Vector API, with weights packed once. Rows are blocked so that the
 * activations of a block stay in the second-level cache while all panels pass; a task is a block of
 * rows times some panels. The order of additions depends on neither rows nor threads.
 */
final class PanelProduct implements MatrixProduct, Workers.Task {
  /** Floats of activations in a block of rows: half a megabyte. */
  private static final int BLOCK_VALUES = 128 * 1024;

  /** Inputs multiplied in one go: a panel's share and a tile's stay in the second-level cache. */
  private static final int INPUTS_PER_PASS = 2048;

  private static final int TASKS_PER_THREAD = 8;
  private static final int LANES = VectorShape.LANES;
  private static final int WIDTH = Panels.WIDTH;

  private final Workers workers;
  private final PackedRows activations;
  private final float[][] sums;
  private final ProductCall call = new ProductCall();
  private @Nullable Panels panels;
  private int tilesPerBlock;
  private int panelGroups;
  private int panelsPerGroup;

  PanelProduct(Workers workers) {
    this.workers = workers;
    this.activations = new PackedRows(workers);
    this.sums = new float[workers.count()][PackedRows.TILE * WIDTH];
  }

  /** {@code w} must be packed as {@link Panels}. */
  @Override
  public void multiply(
      CpuMatrix w, @Nullable CpuTensor bias, CpuTensor in, int rows, CpuTensor out, boolean add) {
    if (!(w.packed() instanceof Panels weights)) {
      throw new IllegalStateException("the matrix is not packed as panels");
    }
    if (rows == 0) {
      return;
    }
    panels = weights;
    call.set(w, bias, in, rows, out, add);
    activations.pack(call);
    int tiles = activations.tiles();
    int blocks = Math.ceilDiv(tiles, Math.max(1, BLOCK_VALUES / (PackedRows.TILE * call.inputs)));
    tilesPerBlock = Math.ceilDiv(tiles, blocks);
    blocks = Math.ceilDiv(tiles, tilesPerBlock);
    int groups = Math.ceilDiv(workers.count() * TASKS_PER_THREAD, blocks);
    panelsPerGroup = Math.ceilDiv(weights.count(), groups);
    panelGroups = Math.ceilDiv(weights.count(), panelsPerGroup);
    workers.run(blocks * panelGroups, this);
  }

  @Override
  public void run(int index, int worker) {
    Panels weights = panels;
    if (weights == null) {
      throw new IllegalStateException("no product");
    }
    int firstTile = index / panelGroups * tilesPerBlock;
    int endTile = Math.min(activations.tiles(), firstTile + tilesPerBlock);
    int firstPanel = index % panelGroups * panelsPerGroup;
    int endPanel = Math.min(weights.count(), firstPanel + panelsPerGroup);
    for (int panel = firstPanel; panel < endPanel; panel++) {
      for (int from = 0; from < call.inputs; from += INPUTS_PER_PASS) {
        int count = Math.min(INPUTS_PER_PASS, call.inputs - from);
        long b = weights.panel(panel) + 4L * WIDTH * from;
        for (int tile = firstTile; tile < endTile; tile++) {
          tile(tile, from, count, b, panel * WIDTH, sums[worker]);
        }
      }
    }
  }

  private void tile(int tile, int from, int count, long b, int output, float[] c) {
    int height = activations.height(tile);
    int at = activations.start(tile) + from * height;
    if (height == PanelTile12.ROWS) {
      PanelTile12.multiply(activations.values(), at, b, count, c);
    } else {
      PanelTile6.multiply(activations.values(), at, b, count, c);
    }
    int first = tile * PackedRows.TILE;
    int rows = Math.min(height, call.rows - first);
    boolean add = call.add || from > 0;
    long bias = from > 0 ? 0 : call.bias;
    for (int r = 0; r < rows; r++) {
      long to = call.out + (first + r) * call.outRowBytes;
      write(c, r * WIDTH, to, output, Math.min(WIDTH, call.outputs - output), bias, add);
    }
  }

  private static void write(
      float[] c, int at, long row, int output, int outputs, long bias, boolean add) {
    long to = row + 4L * output;
    int i = 0;
    for (; i <= outputs - LANES; i += LANES) {
      FloatVector value = FloatVector.fromArray(VectorShape.FLOATS, c, at + i);
      if (bias != 0) {
        value = value.add(NativeMemory.load(bias + 4L * (output + i)));
      }
      if (add) {
        value = value.add(NativeMemory.load(to + 4L * i));
      }
      NativeMemory.store(value, to + 4L * i);
    }
    for (; i < outputs; i++) {
      float value = bias == 0 ? c[at + i] : c[at + i] + NativeMemory.get(bias + 4L * (output + i));
      NativeMemory.set(to + 4L * i, add ? value + NativeMemory.get(to + 4L * i) : value);
    }
  }
}
