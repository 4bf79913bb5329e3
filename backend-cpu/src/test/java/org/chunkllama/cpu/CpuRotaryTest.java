package org.chunkllama.cpu;

import org.chunkllama.contract.RotaryContract;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;

class CpuRotaryTest extends RotaryContract {
  @Override
  protected Backend open(BackendOptions options) {
    return new CpuBackend(options);
  }
}
