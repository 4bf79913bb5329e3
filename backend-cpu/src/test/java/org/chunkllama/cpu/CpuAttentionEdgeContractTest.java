package org.chunkllama.cpu;

import org.chunkllama.contract.AttentionEdgeContract;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;

class CpuAttentionEdgeContractTest extends AttentionEdgeContract {
  @Override
  protected Backend open(BackendOptions options) {
    return new CpuBackendProvider().open(options);
  }
}
