package org.chunkllama.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.chunkllama.cuda.driver.FakeCuda;
import org.chunkllama.spi.BackendOptions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** A test on a GPU that computes nothing. */
abstract class FakeGpuTest {
  @TempDir private Path folder;

  /** A backend on it, whose kernels are kept for the test alone. */
  final CudaBackend open(FakeCuda cuda) {
    return new CudaBackend(cuda.libraries(), folder, BackendOptions.defaults());
  }

  /** Kernels are compiled and kept by threads that outlive a backend. */
  @AfterEach
  final void awaitCompilers() throws InterruptedException {
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().equals("chunkllama-compiler")) {
        thread.join();
      }
    }
  }

  /** All that was handed out was given back, and nothing else. */
  final void assertAllIsBack(FakeCuda cuda) throws InterruptedException {
    awaitCompilers();
    assertThat(cuda.live()).isEmpty();
    assertThat(cuda.misuse()).isNull();
  }
}
