package org.chunkllama.cuda;

import java.util.List;
import java.util.OptionalLong;
import org.chunkllama.cuda.driver.Owned;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.RandomWeight;
import org.chunkllama.spi.WeightPolicy;
import org.chunkllama.spi.WeightTensor;

/** Weights on the GPU: wide, or quantised where that pays; freed all together. */
final class CudaWeights implements AutoCloseable {
  private final Owned owned = new Owned();
  private final KeptFormats kept;
  private final WeightUpload upload;
  private final RandomMatrices random;

  /** {@code policy}: which quantised types stay so. */
  CudaWeights(CudaDevice device, WeightPolicy policy, QuantisedRows quantised) {
    kept = new KeptFormats(device, policy);
    upload = owned.add(new WeightUpload(device, kept, quantised));
    random = new RandomMatrices(device, kept, quantised);
  }

  /** See {@link org.chunkllama.spi.Backend#matrix}. */
  CudaMatrix matrix(List<WeightTensor> parts) {
    return keep(upload.matrix(parts));
  }

  /** See {@link org.chunkllama.spi.Backend#randomMatrix}. */
  CudaMatrix random(List<RandomWeight> parts) {
    return keep(random.matrix(parts));
  }

  private CudaMatrix keep(CudaMatrix matrix) {
    owned.add(matrix.memory());
    return matrix;
  }

  /** See {@link org.chunkllama.spi.Backend#keptBytes}. */
  OptionalLong keptBytes(DType type, long values) {
    return kept.keep(type)
        ? OptionalLong.of(KeptFormats.bytes(type, values))
        : OptionalLong.empty();
  }

  @Override
  public void close() {
    owned.close();
  }
}
