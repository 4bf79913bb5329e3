package org.chunkllama.cuda;

import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.MatrixProduct;

/**
 * The first columns of a tensor, its queries, in the 16 bits that attention over a KV cache reads.
 *
 * @param memory rows of {@code stride} values
 * @param columns of the queries
 * @param type F16 or BF16
 */
record QueryTwin(DeviceMemory memory, int columns, MatrixProduct.Type type) {
  /** Values from one row to the next: a multiple of 8. */
  int stride() {
    return stride(columns);
  }

  static int stride(int columns) {
    return CudaMatrix.stride(columns);
  }
}
