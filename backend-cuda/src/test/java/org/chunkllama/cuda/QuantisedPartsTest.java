package org.chunkllama.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How the inputs of a product are divided. Needs no GPU. */
class QuantisedPartsTest {
  @ParameterizedTest
  @CsvSource({
    "768, 4096, 132, 1", // six rounds, all but full
    "256, 4096, 132, 1",
    "140, 4096, 132, 4", // two rounds, of which the second would be empty
    "36, 576, 132, 1", // too short to divide
    "8, 14336, 132, 8"
  })
  void multiprocessorsStayBusy(int groups, int inputs, int units, int parts) {
    assertThat(QuantisedProducts.parts(groups, inputs, units)).isEqualTo(parts);
  }
}
