package org.chunkllama.cpu;

import org.chunkllama.contract.KvCacheContract;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;

class CpuKvCacheContractTest extends KvCacheContract {
  @Override
  protected Backend open(BackendOptions options) {
    return new CpuBackendProvider().open(options);
  }
}
