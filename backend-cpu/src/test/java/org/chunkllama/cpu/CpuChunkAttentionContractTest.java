package org.chunkllama.cpu;

import org.chunkllama.contract.ChunkAttentionContract;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;

class CpuChunkAttentionContractTest extends ChunkAttentionContract {
  @Override
  protected Backend open(BackendOptions options) {
    return new CpuBackendProvider().open(options);
  }
}
