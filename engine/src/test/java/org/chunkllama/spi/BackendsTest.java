package org.chunkllama.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.chunkllama.error.InvalidRequestException;
import org.junit.jupiter.api.Test;

class BackendsTest {
  /** Opens the reference backend under another name, where this "machine" can. */
  private record Fake(String name, int preference, Optional<String> unusableBecause)
      implements BackendProvider {
    @Override
    public Backend open(BackendOptions options) {
      return Backends.open("reference", options);
    }
  }

  private static final BackendProvider FAST =
      new Fake("fast", 20, Optional.of("needs 3 flux capacitors"));
  private static final BackendProvider PLAIN = new Fake("plain", 10, Optional.empty());
  private static final BackendProvider LAST = new Fake("last", 5, Optional.empty());

  @Test
  void theReferenceBackendIsRegistered() {
    assertThat(Backends.names()).contains("reference");
    try (Backend backend = Backends.open("reference", BackendOptions.defaults())) {
      assertThat(backend.name()).isEqualTo("reference");
      assertThat(backend.description()).startsWith("reference: ");
    }
  }

  @Test
  void autoTakesTheBestUsableOneAndSaysWhyNotTheOthers() {
    List<String> lines = new ArrayList<>();
    try (Backend backend =
        Backends.open("auto", BackendOptions.defaults(), List.of(FAST, PLAIN, LAST), lines::add)) {
      assertThat(backend.parallelism()).isPositive();
    }
    assertThat(lines)
        .last()
        .asString()
        .contains("not fast: needs 3 flux capacitors")
        .contains("not last: lower preference");
  }

  @Test
  void anUnknownNameListsTheKnownOnes() {
    assertThatThrownBy(
            () -> Backends.open("gpu", BackendOptions.defaults(), List.of(PLAIN, LAST), line -> {}))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage("unknown backend 'gpu': choose auto or one of [plain, last]");
  }

  @Test
  void aNamedBackendThatCannotRunIsAnError() {
    assertThatThrownBy(() ->
            Backends.open("fast", BackendOptions.defaults(), List.of(FAST, PLAIN), line -> {}))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage("no usable backend: fast: needs 3 flux capacitors");
  }
}
