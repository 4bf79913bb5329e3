package org.chunkllama.cpu;

/** Times a product of oneDNN on the calling thread: some milliseconds, when a backend is opened. */
final class OneDnnTimer {
  private static final int ROWS = 64;
  private static final int SIZE = 512;
  private static final int REPEATS = 8;

  private OneDnnTimer() {}

  /** Billions of floating-point operations per second, the best of a few runs. */
  static double gigaflops(OneDnnEngine engine, int type) {
    OneDnnMatmul product =
        engine.matmul(new OneDnnMatmul.Shape(ROWS, SIZE, SIZE, type, SIZE, false, 0));
    long matrix = 4L * SIZE * SIZE;
    try (LargeMemory memory = new LargeMemory(3 * matrix)) {
      long weights = memory.address();
      NativeMemory.ALL.asSlice(weights, 3 * matrix).fill((byte) 0);
      long src = weights + matrix;
      long dst = src + matrix;
      long best = Long.MAX_VALUE;
      for (int i = 0; i < REPEATS; i++) {
        long start = System.nanoTime();
        product.execute(0, src, weights, dst);
        best = Math.min(best, System.nanoTime() - start);
      }
      return 2.0 * ROWS * SIZE * SIZE / best;
    }
  }
}
