package org.chunkllama.cpu;

import org.chunkllama.contract.NormContract;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;

class CpuNormTest extends NormContract {
  @Override
  protected Backend open(BackendOptions options) {
    return new CpuBackend(options);
  }
}
