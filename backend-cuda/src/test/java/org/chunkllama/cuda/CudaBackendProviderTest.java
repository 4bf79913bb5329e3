package org.chunkllama.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Optional;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.Backends;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class CudaBackendProviderTest {
  @Test
  void isRegisteredAndPreferred() {
    assertThat(Backends.names()).startsWith("cuda").contains("reference");
  }

  @Test
  void saysWhyAMachineCannotRunIt() {
    Optional<String> reason = new CudaBackendProvider().unusableBecause();
    Assumptions.assumeTrue(reason.isPresent(), "there is a GPU");
    assertThat(reason.get()).isNotBlank().doesNotContain("\n");
    assertThatThrownBy(() -> Backends.open("cuda", BackendOptions.defaults()))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining(reason.get());
  }
}
