package org.chunkllama.cpu;

import org.chunkllama.contract.PreparedStepContract;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;

class CpuPreparedStepContractTest extends PreparedStepContract {
  @Override
  protected Backend open(BackendOptions options) {
    return new CpuBackendProvider().open(options);
  }
}
