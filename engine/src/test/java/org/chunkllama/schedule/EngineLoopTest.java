package org.chunkllama.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.chunkllama.schedule.EngineFixture.limits;
import static org.chunkllama.schedule.EngineFixture.options;
import static org.chunkllama.schedule.EngineFixture.prompt;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.error.QueueFullException;
import org.chunkllama.error.ShuttingDownException;
import org.chunkllama.error.TenantLimitException;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.sample.LogitsProcessor;
import org.chunkllama.sample.SamplingOptions;
import org.chunkllama.sample.TokenLogprobs;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The engine's thread: commands from many threads, faults, closing. */
@Timeout(120)
class EngineLoopTest {
  /** A recorder that another thread can wait for. */
  private static class Awaited extends Recorder {
    private final CountDownLatch end = new CountDownLatch(1);

    @Override
    public void done() {
      super.done();
      end.countDown();
    }

    @Override
    public void failed(RuntimeException cause) {
      super.failed(cause);
      end.countDown();
    }

    void await() throws InterruptedException {
      assertThat(end.await(60, TimeUnit.SECONDS)).as("ended").isTrue();
    }
  }

  private static EngineRequest request(int[] prompt, GenerationOptions options, Recorder to) {
    return new EngineRequest(prompt, options, "", true, to);
  }

  @Test
  void manyThreadsOneSmallPool() throws InterruptedException {
    try (EngineFixture fixture = new EngineFixture(14, limits(32))) {
      List<Awaited> all = Collections.synchronizedList(new ArrayList<>());
      try (EngineLoop loop = new EngineLoop(fixture.engine, 5)) {
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 8; t++) {
          Random random = new Random(t);
          threads.add(Thread.ofVirtual().start(() -> submitAndCancel(loop, random, all)));
        }
        for (Thread thread : threads) {
          thread.join();
        }
        for (Awaited recorder : all) {
          recorder.await();
        }
        EngineStats stats = loop.ask(Engine::stats).join();
        assertThat(stats.requests()).isEqualTo(all.size()).isEqualTo(8 * 25);
        assertThat(stats.running()).isZero();
        assertThat(stats.waiting()).isZero();
        assertThat(stats.chunksLive()).isZero();
        loop.ask(
                engine -> {
                  engine.check();
                  return true;
                })
            .join();
      }
      long failed = all.stream().filter(r -> r.error != null).count();
      assertThat(failed).isZero();
      fixture.assertPoolWhole();
    }
  }

  private static void submitAndCancel(EngineLoop loop, Random random, List<Awaited> all) {
    for (int i = 0; i < 25; i++) {
      Awaited recorder = new Awaited();
      all.add(recorder);
      GenerationOptions options =
          options(1 + random.nextInt(30))
              .withSampling(SamplingOptions.temperature(random.nextInt(2)));
      options =
          switch (random.nextInt(6)) {
            case 0 -> options(1 + random.nextInt(20)).withBeams(3);
            case 1 -> options.withN(3);
            default -> options;
          };
      int[] prompt = prompt(random.nextInt(6), 5 + random.nextInt(60));
      long id = loop.submit(request(prompt, options, recorder));
      if (random.nextInt(4) == 0) {
        loop.cancel(id);
      }
    }
  }

  @Test
  void anErrorStopsTheEngineAndTellsEverybody() throws InterruptedException {
    try (EngineFixture fixture = new EngineFixture()) {
      EngineLoop loop = new EngineLoop(fixture.engine, 50);
      Awaited other = new Awaited();
      loop.submit(request(prompt(2, 20), options(200), other));
      Awaited faulty =
          new Awaited() {
            @Override
            public void token(int i, int token, String piece, @Nullable TokenLogprobs l) {
              throw new AssertionError("not an exception but an error: on purpose, by this test");
            }
          };
      loop.submit(request(prompt(1, 20), options(10), faulty));
      faulty.await();
      other.await();
      assertThat(other.error)
          .hasMessageContaining("the engine stopped")
          .hasMessageContaining("on purpose");
      Awaited late = new Awaited();
      loop.submit(request(prompt(1, 20), options(10), late));
      late.await();
      assertThat(late.error).hasMessageContaining("the engine stopped");
      assertThatThrownBy(() -> loop.ask(Engine::stats).join())
          .isInstanceOf(CompletionException.class)
          .hasRootCauseInstanceOf(AssertionError.class);
      loop.close();
    }
  }

  @Test
  void anIdleEngineChecksItself() throws InterruptedException {
    try (EngineFixture fixture = new EngineFixture();
        EngineLoop loop = new EngineLoop(fixture.engine, 5)) {
      Awaited first = new Awaited();
      loop.submit(request(prompt(2, 20), options(5), first));
      first.await();
      Thread.sleep(2 * EngineLoop.CHECK_AFTER_MILLIS); // checks, then parks
      Awaited second = new Awaited();
      loop.submit(request(prompt(2, 20), options(5), second));
      second.await();
      assertThat(second.tokens()).isEqualTo(first.tokens());
    }
  }

  @Test
  void closingTellsEverybody() throws InterruptedException {
    try (EngineFixture fixture = new EngineFixture()) {
      EngineLoop loop = new EngineLoop(fixture.engine, 50);
      List<Awaited> all = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        all.add(new Awaited());
        loop.submit(request(prompt(i, 20), options(200), all.getLast()));
      }
      loop.close();
      for (Awaited recorder : all) {
        recorder.await();
        assertThat(recorder.error).hasMessage("the model is closed");
      }
      fixture.assertPoolWhole();
    }
  }

  @Test
  void aFullQueueIsAnAnswer() throws InterruptedException {
    try (EngineFixture fixture = new EngineFixture(400, new EngineLimits(256, 64, 1, true));
        EngineLoop loop = new EngineLoop(fixture.engine, 3)) {
      List<Awaited> taken = new ArrayList<>();
      int refused = 0;
      for (int i = 0; i < 50; i++) {
        Awaited recorder = new Awaited();
        try {
          loop.trySubmitAll(List.of(request(prompt(i, 40), options(100), recorder)));
          taken.add(recorder);
        } catch (QueueFullException e) {
          refused++;
          assertThat(e).hasMessageContaining("try again later");
          assertThat(recorder.ended()).isFalse(); // never sent: nothing is told
        }
      }
      assertThat(refused).isPositive();
      List<EngineRequest> four =
          List.of(1, 2, 3, 4).stream()
              .map(i -> request(prompt(i, 10), options(1), new Awaited()))
              .toList();
      assertThatThrownBy(() -> loop.trySubmitAll(four)) // never fits, so waiting is no advice
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("4 prompts at once, the queue holds 3")
          .hasMessageContaining("--max-queue");
      for (Awaited recorder : taken) {
        recorder.await();
        assertThat(recorder.tokens()).hasSize(100);
      }
      List<EngineRequest> three = four.subList(0, 3);
      assertThat(loop.trySubmitAll(three)).hasSize(3);
      for (EngineRequest request : three) {
        ((Awaited) request.listener()).await();
      }
    }
  }

  @Test
  void aTenantOverItsLimitTakesNoPlaceInTheQueue() throws InterruptedException {
    try (EngineFixture fixture = new EngineFixture();
        EngineLoop loop = new EngineLoop(fixture.engine, 2)) {
      loop.tenants().limit("t", 1, 1000, 1);
      Terms terms = new Terms("t", 0, Terms.NO_DEADLINE);
      Awaited first = new Awaited();
      Awaited second = new Awaited();
      List<EngineRequest> both =
          List.of(
              request(prompt(1, 20), options(5), first).withTerms(terms),
              request(prompt(2, 20), options(5), second).withTerms(terms));
      for (int i = 0; i < 5; i++) { // never both, so waiting is no advice
        assertThatThrownBy(() -> loop.trySubmitAll(both))
            .isInstanceOf(InvalidRequestException.class)
            .hasMessageContaining("2 prompts at once, tenant 't' may have 1");
      }
      List<EngineRequest> wide =
          List.of(request(prompt(1, 240), options(1), new Awaited()).withTerms(terms));
      loop.tenants().limit("t", 1, 100, 1);
      assertThatThrownBy(() -> loop.trySubmitAll(wide))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("--tenant-queued-tokens");
      loop.submitAll(both); // one by one: the first is served
      first.await();
      second.await();
      assertThat(first.tokens()).hasSize(5);
      assertThat(second.error).isInstanceOf(TenantLimitException.class);
      LogitsProcessor slow = (_, _, _, _) -> LockSupport.parkNanos(1_000_000);
      Awaited third = new Awaited();
      loop.submit(
          request(prompt(4, 20), options(100), third)
              .withTerms(terms)
              .withProcessors(List.of(slow)));
      for (int i = 0; i < 5; i++) {
        assertThatThrownBy(() -> loop.trySubmitAll(both.subList(0, 1)))
            .isInstanceOf(TenantLimitException.class);
      }
      third.await();
      loop.trySubmitAll(List.of(request(prompt(3, 20), options(5), new Awaited())));
    }
  }

  @Test
  void drainingLetsRunningOnesFinish() throws InterruptedException {
    try (EngineFixture fixture = new EngineFixture();
        EngineLoop loop = new EngineLoop(fixture.engine, 50)) {
      List<Awaited> all = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        all.add(new Awaited());
        loop.submit(request(prompt(i, 20), options(60), all.getLast()));
      }
      assertThat(loop.isAccepting()).isTrue();
      assertThat(loop.drain(Duration.ofSeconds(60))).isTrue();
      assertThat(loop.isAccepting()).isFalse();
      assertThat(all).allMatch(r -> r.done && r.tokens().size() == 60);
      Awaited late = new Awaited();
      loop.submit(request(prompt(1, 20), options(5), late));
      late.await();
      assertThat(late.error).isInstanceOf(ShuttingDownException.class);
      List<EngineRequest> more = List.of(request(prompt(1, 20), options(5), new Awaited()));
      assertThatThrownBy(() -> loop.trySubmitAll(more)).isInstanceOf(ShuttingDownException.class);
    }
  }

  @Test
  void drainingFailsWhatDoesNotEndInTime() throws InterruptedException {
    try (EngineFixture fixture = new EngineFixture();
        EngineLoop loop = new EngineLoop(fixture.engine, 50)) {
      Awaited endless = new Awaited();
      List<LogitsProcessor> slow =
          List.of((_, _, _, _) -> LockSupport.parkNanos(20_000_000)); // 200 tokens take 4 s or more
      loop.submit(request(prompt(1, 20), options(200), endless).withProcessors(slow));
      assertThat(loop.drain(Duration.ofMillis(100))).isFalse();
      endless.await();
      assertThat(endless.error).isInstanceOf(ShuttingDownException.class);
      EngineStats stats = loop.ask(Engine::stats).join();
      assertThat(stats.chunksLive()).isZero();
    }
  }

  @Test
  void anIdleEngineDrainsAtOnce() {
    try (EngineFixture fixture = new EngineFixture();
        EngineLoop loop = new EngineLoop(fixture.engine, 5)) {
      assertThat(loop.drain(Duration.ofSeconds(30))).isTrue();
    }
  }

  @Test
  void theFlightRecorderSeesStepsAndRequests() throws Exception {
    Path file = Files.createTempFile("chunkllama", ".jfr");
    try (Recording recording = new Recording()) {
      recording.enable("org.chunkllama.Step");
      recording.enable("org.chunkllama.Request");
      recording.start();
      try (EngineFixture fixture = new EngineFixture()) {
        fixture.submit(prompt(1, 20), options(5));
        fixture.run();
      }
      recording.stop();
      recording.dump(file);
      List<RecordedEvent> events = RecordingFile.readAllEvents(file);
      assertThat(events)
          .filteredOn(e -> e.getEventType().getName().equals("org.chunkllama.Step"))
          .hasSize(5)
          .first()
          .satisfies(e -> assertThat(e.getInt("rows")).isEqualTo(20));
      assertThat(events)
          .filteredOn(e -> e.getEventType().getName().equals("org.chunkllama.Request"))
          .singleElement()
          .satisfies(e -> {
            assertThat(e.getString("outcome")).isEqualTo("done");
            assertThat(e.getInt("generatedTokens")).isEqualTo(5);
            assertThat(e.getLong("ttftNanos")).isPositive();
          });
    } finally {
      Files.delete(file);
    }
  }
}
