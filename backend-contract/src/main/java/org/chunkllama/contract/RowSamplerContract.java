package org.chunkllama.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.SplittableRandom;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.RowDraws;
import org.chunkllama.spi.RowSampler;
import org.chunkllama.spi.Tensor;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link RowSampler} itself: masks, given uniform numbers. Skipped where a backend has none. */
public abstract class RowSamplerContract extends BackendContract {
  /** For the test of a backend. */
  protected RowSamplerContract() {}

  private RowSampler sampler(Backend backend, int vocabulary) {
    return backend
        .rowSampler(vocabulary)
        .orElseGet(() -> Assumptions.abort(backend.name() + " draws on the host"));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 33, 4097, 128256})
  void masksLeaveOutTokens(int vocabulary) {
    Backend backend = backend();
    RowSampler sampler = sampler(backend, vocabulary);
    SplittableRandom random = new SplittableRandom(vocabulary);
    RowDraws draws = new RowDraws(vocabulary);
    // So many masks do not travel in one piece where the vocabulary is large.
    int count = vocabulary > 100_000 ? 1100 : 90;
    int[] expected = new int[count];
    float[] logits = Numbers.gaussian(random, 3 * vocabulary);
    for (int i = 0; i < count; i++) {
      int at = draws.add(i % 3);
      int token = random.nextInt(vocabulary);
      int other = random.nextInt(vocabulary);
      boolean two = i % 7 == 0; // of which the likelier is taken
      expected[i] = token;
      if (two) {
        int row = i % 3 * vocabulary;
        expected[i] = logits[row + other] > logits[row + token] ? other : token;
      } else {
        draws.inverse[at] = i % 2;
        draws.uniform[at] = random.nextDouble();
        draws.bias(other, 1e6f); // does not bring back what the mask leaves out
      }
      int from = draws.mask();
      draws.maskBits[from + token / 64] |= 1L << token;
      if (two) {
        draws.maskBits[from + other / 64] |= 1L << other;
      }
    }
    try (Tensor tensor = tensor(backend, 3, vocabulary, logits)) {
      sampler.start(tensor, draws);
      sampler.finish(draws);
      for (int i = 0; i < count; i++) {
        assertThat(draws.token[i]).as("draw %d", i).isEqualTo(expected[i]);
      }
    }
  }

  @Test
  void theUniformNumberChoosesByRisingId() {
    Backend backend = backend();
    RowSampler sampler = sampler(backend, 1000);
    RowDraws draws = new RowDraws(1000);
    for (int i = 0; i < 1000; i++) {
      int at = draws.add(0);
      draws.inverse[at] = 1;
      draws.uniform[at] = (i + 0.5) / 1000;
    }
    int last = draws.add(0);
    draws.inverse[last] = 1;
    draws.uniform[last] = Math.nextDown(1.0);
    try (Tensor tensor = backend.tensor(1, 1000)) {
      sampler.start(tensor, draws);
      sampler.finish(draws);
      for (int i = 0; i < 1000; i++) {
        assertThat(draws.token[i]).isEqualTo(i);
      }
      assertThat(draws.token[last]).isEqualTo(999);
    }
  }

  @Test
  void nothingToDrawIsNothing() {
    Backend backend = backend();
    RowSampler sampler = sampler(backend, 10);
    try (Tensor tensor = backend.tensor(1, 10)) {
      RowDraws draws = new RowDraws(10);
      sampler.start(tensor, draws);
      sampler.finish(draws);
      draws.add(1);
      assertThatThrownBy(() -> sampler.start(tensor, draws))
          .as("a row that is not there")
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> sampler.start(tensor, new RowDraws(11)))
          .as("another vocabulary")
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
