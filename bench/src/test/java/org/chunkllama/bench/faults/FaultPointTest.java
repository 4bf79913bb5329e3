package org.chunkllama.bench.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Faults are put into methods by their names: they must be there. */
class FaultPointTest {
  @ParameterizedTest
  @EnumSource
  void theMethodIsThere(FaultPoint point) throws ClassNotFoundException {
    assertThat(Class.forName(point.className().replace('/', '.')).getDeclaredMethods())
        .extracting(Method::getName)
        .contains(point.method());
  }
}
