package org.chunkllama.cpu;

import org.jspecify.annotations.Nullable;

/**
 * Products in fp32 by the Vector API, with weights packed once. Rows are blocked so that the
 * activations of a block stay in the third-level cache while all panels pass, each of them for as
 * many rows as possible: weights cost more to read again than activations. A task is a block of
 * rows times some panels. The order of additions depends on neither rows nor threads.
 */
final class PanelProduct implements MatrixProduct, Workers.Task, AutoCloseable {
  /** Floats of activations in a block of rows: four megabytes. */
  private static final int BLOCK_VALUES = 1024 * 1024;

  /** Inputs multiplied in one go: a panel's share and a tile's stay in the second-level cache. */
  private static final int INPUTS_PER_PASS = 2048;

  private static final long DECODED_BYTES = 4L * INPUTS_PER_PASS * PanelSource.WIDTH;
  private static final int TASKS_PER_THREAD = 8;
  private static final int WIDTH = PanelSource.WIDTH;

  private final Workers workers;
  private final PackedRows activations;
  private final float[][] sums;
  private final LargeMemory decoded; // [worker][INPUTS_PER_PASS][WIDTH]
  private final ProductCall call = new ProductCall();
  private @Nullable PackedMatrix packed;
  private int tilesPerBlock;
  private int panelGroups;
  private int panelsPerGroup;

  PanelProduct(Workers workers) {
    this.workers = workers;
    this.activations = new PackedRows(workers);
    this.decoded = new LargeMemory(workers.count() * DECODED_BYTES);
    this.sums = new float[workers.count()][PackedRows.TILE * WIDTH];
  }

  /** {@code w} must be packed. */
  @Override
  public void multiply(
      CpuMatrix w, @Nullable CpuTensor bias, CpuTensor in, int rows, CpuTensor out, boolean add) {
    PackedMatrix weights = w.packed();
    if (weights == null) {
      throw new IllegalStateException("the matrix is not packed");
    }
    if (rows == 0) {
      return;
    }
    packed = weights;
    call.set(w, bias, in, rows, out, add);
    activations.pack(call);
    int tiles = activations.tiles();
    int blocks = Math.ceilDiv(tiles, Math.max(1, BLOCK_VALUES / (PackedRows.TILE * call.inputs)));
    tilesPerBlock = Math.ceilDiv(tiles, blocks);
    blocks = Math.ceilDiv(tiles, tilesPerBlock);
    int groups = Math.ceilDiv(workers.count() * TASKS_PER_THREAD, blocks);
    panelsPerGroup = Math.ceilDiv(weights.panels(), groups);
    panelGroups = Math.ceilDiv(weights.panels(), panelsPerGroup);
    workers.run(blocks * panelGroups, this);
  }

  @Override
  public void run(int index, int worker) {
    PackedMatrix weights = packed;
    if (weights == null) {
      throw new IllegalStateException("no product");
    }
    int firstTile = index / panelGroups * tilesPerBlock;
    int endTile = Math.min(activations.tiles(), firstTile + tilesPerBlock);
    int firstPanel = index % panelGroups * panelsPerGroup;
    int endPanel = Math.min(weights.panels(), firstPanel + panelsPerGroup);
    for (int panel = firstPanel; panel < endPanel; panel++) {
      int piece = weights.pieceOf(panel);
      PanelSource source = weights.pieces[piece];
      int inside = panel - weights.firstPanel[piece];
      int output = inside * WIDTH;
      int outputs = Math.min(WIDTH, source.outputs() - output);
      long scratch = decoded.address() + worker * DECODED_BYTES;
      for (int from = 0; from < call.inputs; from += INPUTS_PER_PASS) {
        int count = Math.min(INPUTS_PER_PASS, call.inputs - from);
        long b = source.panel(inside, from, count, scratch);
        for (int tile = firstTile; tile < endTile; tile++) {
          multiply(tile, from, count, b, sums[worker]);
          write(tile, from, weights.firstOutput[piece] + output, outputs, sums[worker]);
        }
      }
    }
  }

  private void multiply(int tile, int from, int count, long b, float[] c) {
    int height = activations.height(tile);
    int at = activations.start(tile) + from * height;
    float[] a = activations.values();
    switch (height) {
      case PanelTile12.ROWS -> PanelTile12.multiply(a, at, b, count, c);
      case PanelTile8.ROWS -> PanelTile8.multiply(a, at, b, count, c);
      case PanelTile6.ROWS -> PanelTile6.multiply(a, at, b, count, c);
      default -> PanelTile4.multiply(a, at, b, count, c);
    }
  }

  private void write(int tile, int from, int output, int outputs, float[] c) {
    int first = tile * PackedRows.TILE;
    int rows = Math.min(PackedRows.TILE, call.rows - first);
    for (int r = 0; r < rows; r++) {
      if (from == 0) {
        call.putRow(first + r, output, c, r * WIDTH, outputs);
      } else {
        call.addRow(first + r, output, c, r * WIDTH, outputs);
      }
    }
  }

  @Override
  public void close() {
    decoded.close();
  }
}
