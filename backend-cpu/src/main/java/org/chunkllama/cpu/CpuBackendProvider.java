package org.chunkllama.cpu;

import java.nio.ByteOrder;
import java.util.Optional;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendProvider;

/** Opens {@link CpuBackend}: usable wherever the JVM has the vector module. */
public final class CpuBackendProvider implements BackendProvider {
  static final String NAME = "cpu";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public int preference() {
    return 100;
  }

  @Override
  public Optional<String> unusableBecause() {
    if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
      return Optional.of("the processor is big-endian");
    }
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      return Optional.of("the JVM runs without --add-modules jdk.incubator.vector");
    }
    return Optional.empty();
  }

  @Override
  public Backend open(BackendOptions options) {
    return new CpuBackend(options);
  }
}
