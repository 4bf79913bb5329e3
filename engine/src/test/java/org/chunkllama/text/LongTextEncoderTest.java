package org.chunkllama.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.chunkllama.error.InvalidRequestException;
import org.junit.jupiter.api.Test;

/** Long texts leave virtual threads room to run. */
class LongTextEncoderTest {
  private static final String LONG = "a".repeat(LongTextEncoder.LONG);

  /** Counts letters, and notes who asked. */
  private static final class Letters implements Encoder {
    final ConcurrentLinkedQueue<Boolean> virtual = new ConcurrentLinkedQueue<>();
    final AtomicInteger now = new AtomicInteger();
    final AtomicInteger most = new AtomicInteger();

    @Override
    public int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
      if (text.startsWith("!")) {
        throw new InvalidRequestException("no");
      }
      virtual.add(Thread.currentThread().isVirtual());
      most.accumulateAndGet(now.incrementAndGet(), Math::max);
      try {
        Thread.sleep(5);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
      now.decrementAndGet();
      return new int[] {text.length()};
    }

    @Override
    public void close() {}
  }

  @Test
  void longTextsOfVirtualThreadsRunElsewhereAFewAtOnce() throws Exception {
    Letters letters = new Letters();
    try (LongTextEncoder encoder = new LongTextEncoder(letters);
        ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<int[]>> all = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        all.add(callers.submit(() -> encoder.encode(LONG, true, true)));
      }
      for (Future<int[]> ids : all) {
        assertThat(ids.get()).containsExactly(LONG.length());
      }
      assertThat(letters.virtual).hasSize(20).containsOnly(false);
      assertThat(letters.most.get()).isLessThanOrEqualTo(LongTextEncoder.MOST);
      callers.submit(() -> encoder.encode("abc", true, true)).get();
      assertThat(letters.virtual).contains(true);
    }
  }

  @Test
  void failuresArriveAsTheyAre() throws Exception {
    LongTextEncoder encoder = new LongTextEncoder(new Letters());
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      assertThatThrownBy(() -> callers.submit(() -> encoder.encode("!" + LONG, true, true)).get())
          .hasCauseInstanceOf(InvalidRequestException.class);
      encoder.close();
      assertThatThrownBy(() -> callers.submit(() -> encoder.encode(LONG, true, true)).get())
          .hasCauseInstanceOf(IllegalStateException.class);
    }
  }
}
