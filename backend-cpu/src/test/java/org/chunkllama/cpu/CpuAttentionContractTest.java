package org.chunkllama.cpu;

import org.chunkllama.contract.AttentionContract;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;

class CpuAttentionContractTest extends AttentionContract {
  @Override
  protected Backend open(BackendOptions options) {
    return new CpuBackendProvider().open(options);
  }
}
