package org.chunkllama.cuda;

import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.junit.jupiter.api.Assumptions;

/** Opens the backend where there is a GPU; elsewhere the test is skipped and says why. */
final class Gpu {
  /** Set by tools/cuda/device-run.sh: then there must be one. */
  private static final String REQUIRED = "CHUNKLLAMA_GPU_REQUIRED";

  private Gpu() {}

  static void require() {
    new CudaBackendProvider()
        .unusableBecause()
        .ifPresent(reason -> {
          if (System.getenv(REQUIRED) != null) {
            throw new AssertionError("no CUDA device: " + reason);
          }
          Assumptions.abort("no CUDA device: " + reason);
        });
  }

  static Backend open(BackendOptions options) {
    require();
    return new CudaBackendProvider().open(options);
  }
}
