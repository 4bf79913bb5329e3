package org.chunkllama.cpu;

import org.chunkllama.contract.RowsContract;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;

class CpuRowsTest extends RowsContract {
  @Override
  protected Backend open(BackendOptions options) {
    return new CpuBackend(options);
  }
}
