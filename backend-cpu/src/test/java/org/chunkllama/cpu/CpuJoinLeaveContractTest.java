package org.chunkllama.cpu;

import org.chunkllama.contract.JoinLeaveContract;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;

class CpuJoinLeaveContractTest extends JoinLeaveContract {
  @Override
  protected Backend open(BackendOptions options) {
    return new CpuBackendProvider().open(options);
  }
}
