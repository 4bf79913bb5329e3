package org.chunkllama.cuda.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class LibraryFinderTest {
  @Test
  void noLibraryIsNewerThanTheDriver() {
    assertThat(LibraryFinder.sonames("libnvrtc.so", 12_040)).containsExactly("libnvrtc.so.12");
    assertThat(LibraryFinder.sonames("libnvrtc.so", 13_000))
        .containsExactly("libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so");
  }

  @Test
  void aMissingLibraryIsNamedWithWhatToDo() {
    assertThatThrownBy(
            () -> LibraryFinder.map(LibraryFinder.NAME_FOLDER, "libnothing.so.13", "libnothing.so"))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("libnothing.so.13 or libnothing.so was not found")
        .hasMessageContaining(LibraryFinder.VARIABLE);
  }
}
