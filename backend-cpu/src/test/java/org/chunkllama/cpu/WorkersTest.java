package org.chunkllama.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class WorkersTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 9})
  void everyTaskOfEveryJobRunsOnceAndHasEndedWhenTheJobHas(int threads) {
    Random random = new Random(7);
    try (Workers workers = new Workers(threads)) {
      for (int job = 0; job < 20_000; job++) {
        int tasks = random.nextInt(40);
        AtomicIntegerArray runs = new AtomicIntegerArray(40);
        workers.run(tasks, (index, worker) -> runs.incrementAndGet(index));
        for (int i = 0; i < runs.length(); i++) {
          assertThat(runs.get(i)).as("job %d, task %d", job, i).isEqualTo(i < tasks ? 1 : 0);
        }
      }
    }
  }

  @Test
  void anErrorEndsItsJobAndNotTheNext() {
    try (Workers workers = new Workers(3)) {
      assertThatThrownBy(() ->
              workers.run(
                  8,
                  (index, worker) -> {
                    if (index == 5) {
                      throw new IllegalStateException("five");
                    }
                  }))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("five");
      AtomicIntegerArray runs = new AtomicIntegerArray(8);
      workers.run(8, (index, worker) -> runs.incrementAndGet(index));
      assertThat(runs.toString()).isEqualTo("[1, 1, 1, 1, 1, 1, 1, 1]");
    }
  }
}
