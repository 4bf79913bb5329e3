package org.chunkllama.cuda;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.MatrixProduct;
import org.chunkllama.cuda.driver.MatrixProduct.Algorithm;
import org.chunkllama.cuda.driver.MatrixProduct.Shape;
import org.chunkllama.cuda.driver.OutOfDeviceMemoryException;
import org.chunkllama.cuda.driver.Owned;
import org.jspecify.annotations.Nullable;

/**
 * Algorithms for products of few rows, where some of the heuristic's candidates are far faster than
 * its first: timed when a size is first met, once for neighbouring numbers of rows.
 */
final class ProductChoice {
  private static final long COLD_BYTES = 1 << 27; // more than a GPU's cache
  private static final int FREE_LEAST = 4; // weights that must find room, to take one of them
  private static final String PURPOSE = "the choice of products";

  private static final System.Logger LOG = System.getLogger(ProductChoice.class.getName());

  private final CudaDevice device;
  private final Map<Shape, Algorithm> chosen = new HashMap<>();

  ProductChoice(CudaDevice device) {
    this.device = device;
  }

  /**
   * The fastest for such products with {@code weight}, or with somewhat more rows; null where the
   * GPU has no room to time them. Waits.
   */
  @Nullable Algorithm of(Shape shape, DeviceMemory weight) {
    Shape timed = shape.withRows(roundedUp(shape.rows()));
    Algorithm found = chosen.get(timed);
    if (found == null) {
      try {
        found = choose(timed, weight);
        chosen.put(timed, found);
      } catch (OutOfDeviceMemoryException e) {
        LOG.log(System.Logger.Level.DEBUG, "products are not timed: {0}", e.getMessage());
      }
    }
    return found;
  }

  /** To a multiple of 8 up to 64, of 16 up to 128, and so on. */
  static int roundedUp(int rows) {
    int step = Math.max(8, Integer.highestOneBit(Math.max(1, rows - 1)) / 4);
    return Math.ceilDiv(rows, step) * step;
  }

  private Algorithm choose(Shape shape, DeviceMemory weight) {
    List<DeviceMemory> weights = new ArrayList<>(List.of(weight));
    try (Owned own = new Owned()) {
      MatrixProduct product = own.add(new MatrixProduct(device.blas, shape));
      DeviceMemory in = zeros(own, (long) shape.rows() * shape.inputStride() * Short.BYTES);
      DeviceMemory out = zeros(own, (long) shape.rows() * shape.outputs() * Float.BYTES);
      while (weights.size() * weight.bytes() < COLD_BYTES
          && device.context.freeBytes() > FREE_LEAST * weight.bytes()) {
        weights.add(zeros(own, weight.bytes()));
      }
      product.tune(device.context, weights, in, out, device.stream);
      return product.algorithm();
    }
  }

  private DeviceMemory zeros(Owned own, long bytes) {
    DeviceMemory memory = own.add(device.allocate(bytes, PURPOSE));
    memory.fill(0, 0, bytes, device.stream);
    return memory;
  }
}
