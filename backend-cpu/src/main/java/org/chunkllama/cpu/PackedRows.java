package org.chunkllama.cpu;

/**
 * Activations as {@link PanelProduct} reads them: tiles of {@link #TILE} rows, {@code
 * [tiles][inputs][rows of the tile]}, so that the kernel walks one array from front to end. The
 * last tile may be half as high; rows behind the last are zero.
 */
final class PackedRows implements Workers.Task {
  /** Rows of a tile: as many sums as the processor has registers for. */
  static final int TILE = manyRegisters() ? PanelTile12.ROWS : PanelTile6.ROWS;

  private final Workers workers;
  private float[] values = {};
  private int rows;
  private int inputs;
  private long in;
  private long inRowBytes;

  PackedRows(Workers workers) {
    this.workers = workers;
  }

  // AVX2 has 16 vector registers, AVX-512 and NEON 32.
  private static boolean manyRegisters() {
    return VectorShape.BITS == 512 || System.getProperty("os.arch").equals("aarch64");
  }

  /** Packs the input of a product, on all workers. */
  void pack(ProductCall call) {
    rows = call.rows;
    inputs = call.inputs;
    in = call.in;
    inRowBytes = call.inRowBytes;
    long needed = (long) tiles() * TILE * inputs;
    if (needed > values.length) {
      values = new float[Math.toIntExact(needed)];
    }
    workers.run(tiles(), this);
  }

  int tiles() {
    return Math.ceilDiv(rows, TILE);
  }

  /** Rows of tile {@code tile}, zero ones included. */
  int height(int tile) {
    int left = rows - tile * TILE;
    if (left <= PanelTile4.ROWS) {
      return PanelTile4.ROWS;
    }
    if (left <= PanelTile6.ROWS) {
      return PanelTile6.ROWS;
    }
    return left <= PanelTile8.ROWS && TILE > PanelTile8.ROWS ? PanelTile8.ROWS : TILE;
  }

  /** Where tile {@code tile} begins in {@link #values}. */
  int start(int tile) {
    return tile * TILE * inputs;
  }

  float[] values() {
    return values;
  }

  @Override
  public void run(int tile, int worker) {
    int height = height(tile);
    int start = start(tile);
    int real = Math.min(height, rows - tile * TILE);
    for (int r = 0; r < height; r++) {
      if (r < real) {
        row(in + (tile * TILE + r) * inRowBytes, start + r, height);
      } else {
        zeros(start + r, height);
      }
    }
  }

  private void row(long from, int to, int step) {
    float[] v = values;
    for (int k = 0; k < inputs; k++) {
      v[to + k * step] = NativeMemory.get((from & NativeMemory.MASK) + 4L * k);
    }
  }

  private void zeros(int to, int step) {
    for (int k = 0; k < inputs; k++) {
      values[to + k * step] = 0;
    }
  }
}
