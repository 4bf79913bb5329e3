package org.chunkllama.reference;

import java.util.Optional;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendProvider;

/** Opens the {@linkplain ReferenceBackend reference backend}: usable everywhere, last choice. */
public final class ReferenceBackendProvider implements BackendProvider {
  static final String NAME = "reference";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public int preference() {
    return 0;
  }

  @Override
  public Optional<String> unusableBecause() {
    return Optional.empty();
  }

  @Override
  public Backend open(BackendOptions options) {
    options.refuseFp16(NAME);
    return new ReferenceBackend();
  }
}
