package org.chunkllama.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import org.chunkllama.cuda.driver.FakeCuda;

/** That nothing is left of a GPU that computes nothing. */
final class GivenBack {
  private GivenBack() {}

  /** Kernels are compiled and kept by threads that outlive a backend. */
  static void awaitCompilers() throws InterruptedException {
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().equals("chunkllama-compiler")) {
        thread.join();
      }
    }
  }

  /** All that was handed out was given back, and nothing else. */
  static void assertAllIsBack(FakeCuda cuda) throws InterruptedException {
    awaitCompilers();
    assertThat(cuda.live()).isEmpty();
    assertThat(cuda.misuse()).isNull();
  }
}
