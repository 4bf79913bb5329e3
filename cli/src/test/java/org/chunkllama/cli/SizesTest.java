package org.chunkllama.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class SizesTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "1048576, 1048576",
    "2g, 2147483648",
    "2GiB, 2147483648",
    "512 M, 536870912",
    "3kb, 3072",
    "1t, 1099511627776"
  })
  void readsWhatPeopleWrite(String text, long bytes) {
    assertThat(new Sizes.Converter().convert(text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "g", "-1", "1.5g", "2q", "2gg", "999999999999999t"})
  void refusesTheRest(String text) {
    assertThatThrownBy(() -> new Sizes.Converter().convert(text))
        .isInstanceOf(TypeConversionException.class);
  }

  @Test
  void formats() {
    assertThat(Sizes.format(0)).isEqualTo("0 B");
    assertThat(Sizes.format(1023)).isEqualTo("1023 B");
    assertThat(Sizes.format(1536)).isEqualTo("1.50 KiB");
    assertThat(Sizes.format(98_362_432)).isEqualTo("93.8 MiB");
    assertThat(Sizes.format(1L << 31)).isEqualTo("2.00 GiB");
  }
}
