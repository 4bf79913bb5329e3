package org.chunkllama.cpu;

import org.jspecify.annotations.Nullable;

/** The door to matrix products: one way to compute a linear layer. */
interface MatrixProduct {
  /** As {@link org.chunkllama.spi.Backend#linear}, arguments checked. */
  void multiply(
      CpuMatrix w, @Nullable CpuTensor bias, CpuTensor in, int rows, CpuTensor out, boolean add);
}
