package org.chunkllama.cpu;

import org.chunkllama.contract.SamplingContract;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;

class CpuSamplingTest extends SamplingContract {
  @Override
  protected Backend open(BackendOptions options) {
    return new CpuBackend(options);
  }
}
