package org.chunkllama.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.spi.BackendOptions.Precision;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class ProductChoiceTest {
  @Test
  void fp32NeedsNoLibrary() {
    assertThat(ProductChoice.of(Precision.FP32, 1).engine()).isNull();
  }

  @Test
  void autoSaysWhatItMeasuredOrWhatIsMissing() {
    ProductChoice choice = ProductChoice.of(Precision.AUTO, 1);
    assertThat(choice.why()).matches("(oneDNN in bf16|Vector API in fp32) \\(.+\\)");
    if (choice.engine() != null) {
      choice.engine().close();
    }
  }

  @Test
  void bf16IsEitherGivenOrRefusedWithAWayOut() {
    try {
      ProductChoice choice = ProductChoice.of(Precision.BF16, 1);
      OneDnnEngine engine = choice.engine();
      assertThat(engine).isNotNull();
      assertThat(choice.why()).contains("as asked");
      if (engine != null) {
        engine.close();
      }
    } catch (InvalidRequestException refused) {
      assertThat(refused).hasMessageContaining("use precision auto or fp32");
    }
  }

  @Test
  void aFailedCallNamesItselfAndItsStatus() {
    ProductChoice choice;
    try {
      choice = ProductChoice.of(Precision.BF16, 1);
    } catch (InvalidRequestException refused) {
      Assumptions.abort("refused: " + refused.getMessage());
      return;
    }
    try (OneDnnEngine engine = choice.engine()) {
      assertThat(engine).isNotNull();
      assertThat(catchThrowable(() -> engine.matrixDesc(-5, 3, 99, 1, 1)))
          .isInstanceOf(OneDnnException.class)
          .hasMessage("dnnl_memory_desc_create_with_strides: invalid arguments");
    }
  }
}
