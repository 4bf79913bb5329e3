package org.chunkllama.cpu;

import org.chunkllama.contract.ActivationContract;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;

class CpuActivationTest extends ActivationContract {
  @Override
  protected Backend open(BackendOptions options) {
    return new CpuBackend(options);
  }
}
