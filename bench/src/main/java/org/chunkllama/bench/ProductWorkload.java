package org.chunkllama.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.Tensor;
import org.chunkllama.spi.WeightTensor;

/** One linear layer with random fp32 weights: {@code out[rows][n] = in[rows][n] . w[n][n]^T}. */
public final class ProductWorkload implements AutoCloseable {
  private final Backend backend;
  private final Arena arena = Arena.ofShared();
  private final Matrix weight;
  private final Tensor in;
  private final Tensor out;
  private final int rows;
  private final int size;

  /**
   * Fills weights and input.
   *
   * @param rows M, 1 or more
   * @param size inputs and outputs, n
   */
  public ProductWorkload(Backend backend, int rows, int size) {
    this.backend = backend;
    this.rows = rows;
    this.size = size;
    SplittableRandom random = new SplittableRandom(1);
    MemorySegment values = arena.allocate(4L * size * size, 64);
    for (long i = 0; i < (long) size * size; i++) {
      values.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
    }
    weight = backend.matrix(List.of(new WeightTensor("w", DType.F32, size, size, values)));
    in = backend.tensor(rows, size);
    out = backend.tensor(rows, size);
    float[] row = new float[size];
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < size; i++) {
        row[i] = (float) random.nextDouble(-1, 1);
      }
      in.write(r, row, 0);
    }
  }

  /** One product. */
  public void multiply() {
    backend.linear(weight, null, in, rows, out, false);
  }

  /** Floating-point operations, 2 per multiply-add. */
  public double operations() {
    return 2.0 * rows * size * size;
  }

  @Override
  public void close() {
    in.close();
    out.close();
    arena.close();
  }
}
