package org.chunkllama.cpu;

/**
 * Activations as {@link PanelProduct} reads them: tiles of {@link #TILE} rows, {@code
 * [tiles][inputs][rows of the tile]}, so that the kernel walks one array from front to end. The
 * last tile may be half as high; rows behind the last are zero.
 */
final class PackedRows implements Workers.Task {
  /** Rows of a tile: as many sums as the processor has registers for. */
  static final int TILE = manyRegisters() ? PanelTile12.ROWS : PanelTile6.ROWS;

  /** Inputs of all rows of a tile that are packed before the next: they stay in the first cache. */
  private static final int INPUTS_PER_PASS = 256;

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
    if (real == PanelTile12.ROWS) {
      twelveRows(in + (long) tile * TILE * inRowBytes, start);
      return;
    }
    for (int from = 0; from < inputs; from += INPUTS_PER_PASS) {
      int end = Math.min(inputs, from + INPUTS_PER_PASS);
      for (int r = 0; r < height; r++) {
        if (r < real) {
          row(in + ((long) tile * TILE + r) * inRowBytes, start + r, height, from, end);
        } else {
          zeros(start + r, height, from, end);
        }
      }
    }
  }

  /** The usual tile: a column of it at a time, so that stores run through memory. */
  private void twelveRows(long first, int start) {
    float[] v = values;
    long r0 = first & NativeMemory.MASK;
    long r1 = (r0 + inRowBytes) & NativeMemory.MASK;
    long r2 = (r1 + inRowBytes) & NativeMemory.MASK;
    long r3 = (r2 + inRowBytes) & NativeMemory.MASK;
    long r4 = (r3 + inRowBytes) & NativeMemory.MASK;
    long r5 = (r4 + inRowBytes) & NativeMemory.MASK;
    for (int half = 0; half < 12; half += 6) {
      int to = start + half;
      for (int k = 0; k < inputs; k++) {
        long at = 4L * k;
        int i = to + 12 * k;
        v[i] = NativeMemory.get(r0 + at);
        v[i + 1] = NativeMemory.get(r1 + at);
        v[i + 2] = NativeMemory.get(r2 + at);
        v[i + 3] = NativeMemory.get(r3 + at);
        v[i + 4] = NativeMemory.get(r4 + at);
        v[i + 5] = NativeMemory.get(r5 + at);
      }
      long six = 6 * inRowBytes;
      r0 += six;
      r1 += six;
      r2 += six;
      r3 += six;
      r4 += six;
      r5 += six;
    }
  }

  private void row(long row, int to, int step, int from, int end) {
    float[] v = values;
    for (int k = from; k < end; k++) {
      v[to + k * step] = NativeMemory.get((row & NativeMemory.MASK) + 4L * k);
    }
  }

  private void zeros(int to, int step, int from, int end) {
    for (int k = from; k < end; k++) {
      values[to + k * step] = 0;
    }
  }
}
