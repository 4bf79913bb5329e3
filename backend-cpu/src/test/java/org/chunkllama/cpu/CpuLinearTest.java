package org.chunkllama.cpu;

import org.chunkllama.contract.LinearContract;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;

class CpuLinearTest extends LinearContract {
  @Override
  protected Backend open(BackendOptions options) {
    return new CpuBackend(options);
  }
}
