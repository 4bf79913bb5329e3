package org.chunkllama.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.chunkllama.schedule.EngineFixture.alone;
import static org.chunkllama.schedule.EngineFixture.limits;
import static org.chunkllama.schedule.EngineFixture.options;
import static org.chunkllama.schedule.EngineFixture.prompt;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.chunkllama.error.DeviceException;
import org.chunkllama.error.DeviceLostException;
import org.chunkllama.error.ModelOutputException;
import org.chunkllama.sample.FinishReason;
import org.chunkllama.sample.TokenLogprobs;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.Tensor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A fault of one request loses that request and nothing else. */
@Timeout(120)
class EngineFaultTest {
  private static final List<int[]> OTHERS = List.of(prompt(1, 40), prompt(2, 70), prompt(3, 5));

  private static void assertOthersUnharmed(EngineFixture fixture, List<Recorder> others) {
    fixture.run();
    List<List<Integer>> expected = alone(OTHERS, options(12));
    for (int i = 0; i < others.size(); i++) {
      assertThat(others.get(i).tokens()).isEqualTo(expected.get(i));
    }
  }

  private static List<Recorder> submitOthers(EngineFixture fixture) {
    return OTHERS.stream().map(p -> fixture.submit(p, options(12))).toList();
  }

  @Test
  void samplerFault() {
    try (EngineFixture fixture = new EngineFixture()) {
      List<Recorder> others = submitOthers(fixture);
      // the same prompt as one of the others: they share all but the fault
      Recorder faulty =
          fixture.submit(
              OTHERS.get(1),
              options(12),
              "",
              new Recorder(),
              List.of((_, _, count, _) -> {
                if (count == 4) {
                  throw new IllegalArgumentException("sampler fault");
                }
              }));
      assertOthersUnharmed(fixture, others);
      assertThat(faulty.error).hasMessage("sampler fault");
      assertThat(faulty.tokens()).hasSize(4);
    }
  }

  @Test
  void notANumber() {
    try (EngineFixture fixture = new EngineFixture()) {
      List<Recorder> others = submitOthers(fixture);
      Recorder faulty =
          fixture.submit(
              prompt(9, 30),
              options(12).withN(3),
              "",
              new Recorder(),
              List.of((index, _, count, logits) -> logits[7] = index + count > 3 ? Float.NaN : 0));
      assertOthersUnharmed(fixture, others);
      assertThat(faulty.error).isInstanceOf(ModelOutputException.class).hasMessageContaining("NaN");
    }
  }

  /** One row of logits is NaN, once, on its way to the likeliest tokens of all rows. */
  @Test
  void notANumberWhereTheLikeliestIsTaken() {
    AtomicInteger left = new AtomicInteger(5);
    float[] nan = new float[64];
    Arrays.fill(nan, Float.NaN);
    Backend faulty =
        FrontBackend.of(
            EngineFixture.reference(),
            (method, arguments, pass) -> {
              if (method.equals("argmax") && left.decrementAndGet() == 0) {
                ((Tensor) arguments[0]).write(1, nan, 0);
              }
              return pass.on();
            });
    LetterTokenizer tokenizer = new LetterTokenizer(64, List.of());
    try (EngineFixture fixture = new EngineFixture(400, limits(128), tokenizer, faulty)) {
      List<Recorder> all = submitOthers(fixture);
      fixture.run();
      List<List<Integer>> expected = alone(OTHERS, options(12));
      int failed = 0;
      for (int i = 0; i < all.size(); i++) {
        RuntimeException error = all.get(i).error;
        if (error == null) {
          assertThat(all.get(i).tokens()).isEqualTo(expected.get(i));
        } else {
          failed++;
          assertThat(error)
              .isInstanceOf(ModelOutputException.class)
              .hasMessageContaining("NaN")
              .hasMessageContaining("--precision");
        }
      }
      assertThat(failed).isOne();
    }
  }

  @Test
  void tokenizerFault() {
    LetterTokenizer breaksAfterA =
        new LetterTokenizer(64, List.of()) {
          private int left = 20;

          @Override
          public byte[] bytes(int id) {
            if (left-- == 0) {
              throw new IllegalStateException("tokenizer fault");
            }
            return super.bytes(id);
          }
        };
    try (EngineFixture fixture = new EngineFixture(400, EngineFixture.limits(64), breaksAfterA)) {
      List<Recorder> others = submitOthers(fixture);
      fixture.run();
      long failed = others.stream().filter(r -> r.error != null).count();
      assertThat(failed).isEqualTo(1);
      List<List<Integer>> expected = alone(OTHERS, options(12));
      for (int i = 0; i < others.size(); i++) {
        if (others.get(i).error == null) {
          assertThat(others.get(i).tokens()).isEqualTo(expected.get(i));
        }
      }
    }
  }

  /** A backend whose attention fails once, in the middle of a pass. */
  @Test
  void backendFault() {
    AtomicInteger left = new AtomicInteger(9); // two layers a step: in the fifth
    Backend reference = EngineFixture.reference();
    Backend faulty =
        faulty(
            reference,
            (method, _) -> {
              if (method.equals("attention") && left.decrementAndGet() == 0) {
                throw new IllegalStateException("backend fault");
              }
            });
    LetterTokenizer tokenizer = new LetterTokenizer(64, List.of());
    try (EngineFixture fixture =
        new EngineFixture(400, new EngineLimits(256, 64, 3, true), tokenizer, faulty)) {
      List<Recorder> running = submitOthers(fixture);
      Recorder waiting = fixture.submit(prompt(9, 10), options(3)); // there are three places
      fixture.run();
      assertThat(running).allMatch(r -> r.error != null && !r.done);
      assertThat(running.getFirst().error).hasMessage("backend fault");
      assertThat(waiting.tokens()).isEqualTo(alone(List.of(prompt(9, 10)), options(3)).getFirst());
      List<Recorder> again = submitOthers(fixture);
      assertOthersUnharmed(fixture, again);
    }
  }

  /** More rows of logits than there is memory for: those of the step fail, fewer go on. */
  @Test
  void noMemoryForAStepLeavesTheEngineSound() {
    Backend reference = EngineFixture.reference();
    Backend narrow =
        faulty(
            reference,
            (method, arguments) -> {
              if (method.equals("tensor") && arguments[0] instanceof Integer rows && rows == 16) {
                throw new DeviceException("no memory for 16 rows");
              }
            });
    LetterTokenizer tokenizer = new LetterTokenizer(64, List.of());
    EngineLimits limits = new EngineLimits(256, 64, 20, true);
    try (EngineFixture fixture = new EngineFixture(400, limits, tokenizer, narrow)) {
      List<Recorder> nine = new ArrayList<>();
      for (int i = 0; i < 9; i++) { // there is room for eight at first
        nine.add(fixture.submit(prompt(20 + i, 5), options(12)));
      }
      fixture.run();
      assertThat(nine)
          .allSatisfy(recorder -> assertThat(recorder.error).hasMessage("no memory for 16 rows"));
      assertOthersUnharmed(fixture, submitOthers(fixture));
    }
  }

  private static Backend faulty(Backend backend, BiConsumer<String, Object[]> before) {
    return FrontBackend.of(
        backend,
        (method, arguments, pass) -> {
          before.accept(method, arguments);
          return pass.on();
        });
  }

  /** A device that is gone answers nothing more: all requests hear of it, at once. */
  @ParameterizedTest
  @ValueSource(strings = {"attention", "argmax"}) // in the pass; where its results are waited for
  void aLostDeviceStopsTheEngine(String call) {
    AtomicBoolean broken = new AtomicBoolean();
    Backend faulty = lostOnce(broken, call);
    LetterTokenizer tokenizer = new LetterTokenizer(64, List.of());
    try (EngineFixture fixture =
            new EngineFixture(400, new EngineLimits(256, 64, 3, true), tokenizer, faulty);
        EngineLoop loop = new EngineLoop(fixture.engine, 50)) {
      Recorder first = new Recorder();
      loop.submit(new EngineRequest(prompt(1, 20), options(5), "", true, first));
      while (!loop.ask(Engine::isIdle).join()) {
        Thread.onSpinWait();
      }
      assertThat(first.done).isTrue();
      broken.set(true);
      List<Recorder> all = new ArrayList<>();
      for (int i = 0; i < 6; i++) { // three run, three wait
        Recorder recorder = new Recorder();
        all.add(recorder);
        loop.submit(new EngineRequest(prompt(i, 20), options(5), "", true, recorder));
      }
      while (loop.isRunning()) {
        Thread.onSpinWait();
      }
      assertThat(loop.isAccepting()).isFalse();
      Recorder late = new Recorder();
      all.add(late);
      loop.submit(new EngineRequest(prompt(9, 20), options(5), "", true, late));
      assertThatThrownBy(() -> loop.ask(Engine::isIdle).join()) // behind all that was told
          .hasCauseInstanceOf(DeviceLostException.class);
      for (Recorder recorder : all) {
        assertThat(recorder.error)
            .isInstanceOf(DeviceLostException.class)
            .hasMessage("the device is lost to this process, start it again: it fell off the bus");
      }
      assertThat(late.error).hasCauseInstanceOf(DeviceException.class);
    }
  }

  /** Computes as the reference backend until {@code broken}; then {@code call} fails. */
  private static Backend lostOnce(AtomicBoolean broken, String call) {
    return FrontBackend.of(
        EngineFixture.reference(),
        (method, _, pass) -> {
          if (method.equals("lost")) {
            return broken.get() ? Optional.of("it fell off the bus") : Optional.empty();
          }
          if (method.equals(call) && broken.get()) {
            throw new DeviceException(call + " failed");
          }
          return pass.on();
        });
  }

  /** Throws at one kind of call. */
  private static final class FaultyListener extends Recorder {
    private final String at;

    FaultyListener(String at) {
      this.at = at;
    }

    private void fault(String call) {
      if (at.equals(call)) {
        throw new IllegalStateException("listener fault at " + call);
      }
    }

    @Override
    public void admitted(int cachedTokens) {
      fault("admitted");
      super.admitted(cachedTokens);
    }

    @Override
    public void token(int index, int token, String piece, @Nullable TokenLogprobs logprob) {
      fault("token");
      super.token(index, token, piece, logprob);
    }

    @Override
    public void finished(int index, String rest, FinishReason reason, String stop, double score) {
      fault("finished");
      super.finished(index, rest, reason, stop, score);
    }

    @Override
    public void done() {
      fault("done");
      super.done();
    }
  }

  @Test
  void listenerFaults() {
    for (String at : List.of("admitted", "token", "finished", "done")) {
      for (int beams : new int[] {1, 3}) {
        try (EngineFixture fixture = new EngineFixture()) {
          Recorder faulty = new FaultyListener(at);
          fixture.submit(OTHERS.get(0), options(12).withBeams(beams), "", faulty);
          List<Recorder> others = submitOthers(fixture);
          assertOthersUnharmed(fixture, others);
          if (!at.equals("done")) {
            assertThat(faulty.error).as(at).hasMessage("listener fault at " + at);
          }
        }
      }
    }
  }
}
