package org.chunkllama.cuda;

import java.nio.ByteOrder;
import java.util.Optional;
import org.chunkllama.cuda.driver.BlasLt;
import org.chunkllama.cuda.driver.CudaContext;
import org.chunkllama.cuda.driver.CudaException;
import org.chunkllama.cuda.driver.Nvrtc;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendProvider;

/** Opens {@link CudaBackend}: usable where there is an NVIDIA GPU and CUDA's libraries. */
public final class CudaBackendProvider implements BackendProvider {
  static final String NAME = "cuda";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public int preference() {
    return 200;
  }

  @Override
  public Optional<String> unusableBecause() {
    if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
      return Optional.of("the processor is big-endian");
    }
    try {
      CudaContext.probe(0);
      Nvrtc.get();
      BlasLt.probe();
      return Optional.empty();
    } catch (CudaException | IllegalCallerException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  @Override
  public Backend open(BackendOptions options) {
    return new CudaBackend(options);
  }
}
