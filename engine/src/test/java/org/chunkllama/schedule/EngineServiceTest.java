package org.chunkllama.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.chunkllama.schedule.EngineFixture.alone;
import static org.chunkllama.schedule.EngineFixture.join;
import static org.chunkllama.schedule.EngineFixture.limits;
import static org.chunkllama.schedule.EngineFixture.options;
import static org.chunkllama.schedule.EngineFixture.prompt;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.chunkllama.error.ContextLengthException;
import org.chunkllama.error.DeadlineException;
import org.chunkllama.error.PoolExhaustedException;
import org.chunkllama.error.TenantLimitException;
import org.chunkllama.prefix.Pin;
import org.chunkllama.sample.FinishReason;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.sample.SamplingOptions;
import org.junit.jupiter.api.Test;

/** Priorities, deadlines, tenants, order by prefix, and a pool far too small. */
class EngineServiceTest {
  private static EngineRequest request(int[] prompt, GenerationOptions options, Recorder to) {
    return new EngineRequest(prompt, options, "", true, to);
  }

  private static Terms priority(int priority) {
    return new Terms("", priority, Terms.NO_DEADLINE);
  }

  private static Terms tenant(String tenant) {
    return new Terms(tenant, 0, Terms.NO_DEADLINE);
  }

  @Test
  void higherPriorityGoesFirst() {
    try (EngineFixture fixture = new EngineFixture(400, new EngineLimits(256, 64, 1, true))) {
      List<Integer> order = new ArrayList<>();
      int[] priorities = {0, -2, 5, 5, 1000, -1000, 1};
      for (int p : priorities) {
        Recorder recorder =
            new Recorder() {
              @Override
              public void done() {
                super.done();
                order.add(p);
              }
            };
        fixture.send(request(prompt(p, 10), options(3), recorder).withTerms(priority(p)));
      }
      fixture.run();
      assertThat(order).containsExactly(1000, 5, 5, 1, 0, -2, -1000);
    }
  }

  /** A level of priority passes no more than so many that came later. */
  @Test
  void priorityDoesNotStarveOthers() {
    for (int levels : new int[] {1, 3}) {
      try (EngineFixture fixture = new EngineFixture(400, new EngineLimits(256, 64, 1, true))) {
        fixture.submit(prompt(0, 10), options(2)); // runs
        fixture.step(1);
        Recorder low = fixture.submit(prompt(1, 10), options(2));
        List<Recorder> high = new ArrayList<>();
        while (!low.done && high.size() < 1000) {
          high.add(new Recorder());
          fixture.send(
              request(prompt(10 + high.size(), 10), options(1), high.getLast())
                  .withTerms(priority(levels)));
          fixture.step(1);
        }
        long before = high.stream().filter(r -> r.done).count();
        int bound = levels * Terms.ARRIVALS_PER_PRIORITY;
        assertThat(before).isBetween(bound / 2L, bound + 2L);
        fixture.run();
        assertThat(high).allMatch(r -> r.done);
      }
    }
  }

  @Test
  void lowPriorityIsPreemptedFirst() {
    try (EngineFixture fixture = new EngineFixture(9, limits(32))) {
      Recorder low = new Recorder();
      fixture.send(request(prompt(1, 30), options(60), low).withTerms(priority(-1)));
      Recorder high = new Recorder();
      fixture.send(request(prompt(2, 30), options(60), high).withTerms(priority(1)));
      while (!high.ended()) {
        fixture.step(1);
      }
      assertThat(fixture.engine.stats().preemptions()).isPositive();
      assertThat(low.done).isFalse();
      fixture.run();
      assertThat(low.tokens()).isEqualTo(alone(List.of(prompt(1, 30)), options(60)).getFirst());
    }
  }

  /** An identical prompt of higher priority joins the one being computed and hurries it. */
  @Test
  void aJoinerHurriesItsLeader() {
    try (EngineFixture fixture = new EngineFixture(400, limits(16))) {
      int[] shared = prompt(1, 200);
      fixture.submit(prompt(2, 200), options(1));
      fixture.submit(shared, options(1));
      fixture.step(1);
      Recorder urgent = new Recorder();
      fixture.send(request(shared, options(1), urgent).withTerms(priority(10)));
      fixture.step(13);
      assertThat(urgent.done).isTrue();
      fixture.run();
    }
  }

  @Test
  void deadlines() {
    try (EngineFixture fixture = new EngineFixture(400, new EngineLimits(256, 64, 1, true))) {
      Recorder running = new Recorder();
      Recorder waiting = new Recorder();
      Recorder patient = new Recorder();
      long past = System.nanoTime() - 1;
      long soon = System.nanoTime() + 20_000_000;
      fixture.send(request(prompt(1, 10), options(200), running).withTerms(new Terms("", 0, soon)));
      fixture.send(request(prompt(2, 10), options(5), waiting).withTerms(new Terms("", 0, past)));
      fixture.send(
          request(prompt(3, 10), options(5), patient)
              .withTerms(new Terms("", 0, System.nanoTime() + 3_600_000_000_000L)));
      fixture.step(1);
      assertThat(waiting.error).isInstanceOf(DeadlineException.class);
      while (running.error == null && System.nanoTime() - soon < 1_000_000_000) {
        fixture.step(1);
      }
      // a fast machine may have finished it
      assertThat(running.done || running.error instanceof DeadlineException).isTrue();
      fixture.run();
      assertThat(patient.tokens()).hasSize(5);
      assertThat(fixture.engine.stats().deadlines()).isPositive();
    }
  }

  @Test
  void aTenantKeepsToItsShareOfThePool() {
    try (EngineFixture fixture = new EngineFixture(40, limits(64))) {
      fixture.engine.tenants().limit("greedy", 100, 1_000_000, 0.25); // 10 chunks
      List<Recorder> greedy = new ArrayList<>();
      List<int[]> prompts = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        prompts.add(prompt(i, 30 + i));
        greedy.add(new Recorder());
        fixture.send(
            new EngineRequest(prompts.get(i), options(70), "greedy", true, greedy.get(i))
                .withTerms(tenant("greedy")));
      }
      Recorder other = new Recorder();
      fixture.send(
          new EngineRequest(prompt(90, 100), options(20), "other", true, other)
              .withTerms(tenant("other")));
      TenantAccount account = fixture.engine.tenants().account("greedy");
      int most = 0;
      int steps = 0;
      while (!fixture.engine.isIdle()) {
        fixture.step(1);
        most = Math.max(most, account.chunks.chunks());
        steps++;
        if (steps == 30) {
          assertThat(other.done).isTrue();
        }
      }
      assertThat(most).isBetween(7, 10);
      List<List<Integer>> expected = alone(prompts, options(70));
      for (int i = 0; i < greedy.size(); i++) {
        assertThat(greedy.get(i).tokens()).isEqualTo(expected.get(i));
      }
      assertThat(account.chunks.chunks()).isZero();
      assertThat(account.requests()).isZero();
      assertThat(account.queuedTokens()).isZero();
      fixture.assertPoolWhole();
    }
  }

  @Test
  void sharersOfAPrefixCountItOnce() {
    try (EngineFixture fixture = new EngineFixture(40, limits(64))) {
      fixture.engine.tenants().limit("t", 100, 1_000_000, 0.5); // 20 chunks
      int[] system = prompt(7, 160); // 10 chunks
      List<Recorder> recorders = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        recorders.add(new Recorder());
        fixture.send(
            new EngineRequest(join(system, prompt(i, 3)), options(4), "t", true, recorders.get(i))
                .withTerms(tenant("t")));
      }
      int most = 0;
      while (!fixture.engine.isIdle()) {
        fixture.step(1);
        most = Math.max(most, fixture.engine.stats().running());
      }
      assertThat(most).isGreaterThan(3);
      assertThat(recorders).allMatch(r -> r.done);
    }
  }

  @Test
  void aTenantsShareBoundsItsAnswersAsTheContextDoes() {
    try (EngineFixture fixture = new EngineFixture(40, limits(64))) {
      fixture.engine.tenants().limit("t", 100, 1_000_000, 0.1); // 4 chunks
      Recorder recorder = new Recorder();
      fixture.send(request(prompt(1, 50), options(60), recorder).withTerms(tenant("t")));
      fixture.run();
      assertThat(recorder.error).isNull();
      assertThat(recorder.reasons).containsValue(FinishReason.LENGTH);
      assertThat(recorder.tokens()).hasSize(4 * EngineFixture.CHUNK - 50);
      Recorder longest = new Recorder();
      fixture.send(request(prompt(2, 63), options(60), longest).withTerms(tenant("t")));
      fixture.run();
      assertThat(longest.tokens()).hasSize(1);
    }
  }

  @Test
  void aPromptOverItsTenantsShareIsRefusedForGood() {
    try (EngineFixture fixture = new EngineFixture(40, limits(64))) {
      fixture.engine.tenants().limit("t", 100, 1_000_000, 0.1); // 4 chunks
      EngineRequest tooLong =
          request(prompt(2, 64), options(1), new Recorder()).withTerms(tenant("t"));
      assertThatThrownBy(() -> fixture.send(tooLong))
          .isInstanceOf(ContextLengthException.class)
          .hasMessageContaining("64 tokens, tenant 't' may hold 4 chunks of 16 tokens")
          .hasMessageContaining("to 63 or less");
      assertThat(fixture.engine.tenants().account("t").requests()).isZero();
    }
  }

  @Test
  void pinsCountAgainstTheShare() {
    try (EngineFixture fixture = new EngineFixture(40, limits(64))) {
      fixture.engine.tenants().limit("t", 100, 1_000_000, 0.25); // 10 chunks
      List<Pin> pins = new ArrayList<>();
      EngineRequest hold =
          request(prompt(1, 130), options(1), new Recorder()).withTerms(tenant("t"));
      fixture.engine.hold(
          9000, hold, Ticket.take(fixture.engine.tenants(), hold, () -> {}), 0, pins::add);
      fixture.run();
      TenantAccount account = fixture.engine.tenants().account("t");
      assertThat(account.chunks.chunks()).isEqualTo(8);
      Recorder more = new Recorder();
      fixture.send(request(prompt(2, 60), options(5), more).withTerms(tenant("t")));
      fixture.run();
      assertThat(more.error).isInstanceOf(TenantLimitException.class);
      Recorder same = new Recorder();
      fixture.send(
          request(join(prompt(1, 130), prompt(3, 4)), options(5), same).withTerms(tenant("t")));
      fixture.run();
      assertThat(same.done).isTrue();
      pins.getFirst().close();
      assertThat(account.chunks.chunks()).isZero();
      Recorder last = new Recorder();
      fixture.send(request(prompt(2, 60), options(5), last).withTerms(tenant("t")));
      fixture.run();
      assertThat(last.done).isTrue();
    }
  }

  @Test
  void tenantsLimitsAreNamed() {
    Tenants tenants = new Tenants(100, 16);
    tenants.limit("a", 2, 100, 1);
    EngineRequest request =
        request(prompt(1, 40), options(1), new Recorder()).withTerms(tenant("a"));
    Ticket first = Ticket.take(tenants, request, () -> {});
    Ticket second = Ticket.take(tenants, request, () -> {});
    assertThatThrownBy(() -> Ticket.take(tenants, request, () -> {}))
        .isInstanceOfSatisfying(
            TenantLimitException.class,
            e -> assertThat(e.limit()).isEqualTo(TenantLimitException.Limit.REQUESTS));
    first.end();
    Ticket third = Ticket.take(tenants, request, () -> {});
    third.end();
    EngineRequest longer =
        request(prompt(1, 61), options(1), new Recorder()).withTerms(tenant("a"));
    assertThatThrownBy(() -> Ticket.take(tenants, longer, () -> {}))
        .isInstanceOfSatisfying(
            TenantLimitException.class,
            e -> assertThat(e.limit()).isEqualTo(TenantLimitException.Limit.QUEUED_TOKENS));
    second.leaveQueue();
    Ticket fourth = Ticket.take(tenants, longer, () -> {});
    fourth.end();
    fourth.end();
    second.end();
    assertThat(tenants.account("a").requests()).isZero();
    assertThat(tenants.account("a").queuedTokens()).isZero();
  }

  @Test
  void tenantsWithEqualPromptsShareNothing() {
    try (EngineFixture fixture = new EngineFixture()) {
      int[] prompt = prompt(1, 100);
      Recorder first = fixture.submit(prompt, options(4), "a", new Recorder());
      fixture.run();
      Recorder second = fixture.submit(prompt, options(4), "b", new Recorder());
      Recorder third = fixture.submit(prompt, options(4), "a", new Recorder());
      fixture.step(1);
      assertThat(second.cached).isZero();
      assertThat(third.cached).isGreaterThan(90);
      assertThat(fixture.engine.stats().chunksShared()).isZero();
      fixture.run();
      assertThat(second.tokens()).isEqualTo(first.tokens());
    }
  }

  /** Two prefixes take turns in the queue; the pool holds one of them at a time. */
  @Test
  void thoseWhoShareAPrefixRunTogether() {
    int[] a = prompt(1, 160);
    int[] b = prompt(2, 160);
    try (EngineFixture fixture = new EngineFixture(18, limits(64))) {
      List<Recorder> recorders = new ArrayList<>();
      for (int i = 0; i < 24; i++) {
        recorders.add(fixture.submit(join(i % 2 == 0 ? a : b, prompt(100 + i, 4)), options(3)));
      }
      fixture.run();
      assertThat(recorders).allMatch(r -> r.done && r.tokens().size() == 3);
      // in turns each prompt would be computed anew: 24 * 164
      assertThat(fixture.engine.stats().promptTokensComputed()).isLessThan(4 * 160 + 24 * 4);
    }
  }

  /** The least pool that holds a prompt, and 200 requests of all kinds. */
  @Test
  void twoHundredRequestsInTheSmallestPool() {
    for (int chunks : new int[] {1, 3}) {
      try (EngineFixture fixture = new EngineFixture(chunks, new EngineLimits(256, 16, 8, true))) {
        Random random = new Random(chunks);
        List<Recorder> recorders = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
          GenerationOptions options =
              options(1 + random.nextInt(20))
                  .withN(1 + random.nextInt(3))
                  .withSampling(SamplingOptions.temperature(random.nextInt(2)).withSeed(i));
          Recorder recorder = new Recorder();
          recorders.add(recorder);
          int[] prompt = prompt(random.nextInt(8), 1 + random.nextInt(16 * chunks + 4));
          fixture.send(
              request(prompt, options, recorder).withTerms(priority(random.nextInt(5) - 2)));
          if (random.nextInt(10) == 0) {
            fixture.engine.cancel(fixture.lastId());
          }
        }
        fixture.run();
        int finished = 0;
        for (Recorder recorder : recorders) {
          assertThat(recorder.ended()).isTrue(); // once: a recorder refuses a second end
          if (recorder.error != null) {
            assertThat(recorder.error)
                .isInstanceOf(PoolExhaustedException.class)
                .hasMessageContaining("give it more memory");
          } else {
            finished++;
          }
        }
        assertThat(finished).isGreaterThan(20);
        assertThat(fixture.engine.stats().requests()).isEqualTo(200);
        assertThat(fixture.engine.stats().waiting()).isZero();
      }
    }
  }

  @Test
  void cancelStorm() {
    try (EngineFixture fixture = new EngineFixture(30, limits(32))) {
      Random random = new Random(3);
      List<Recorder> recorders = new ArrayList<>();
      for (int round = 0; round < 60; round++) {
        for (int i = 0; i < 5; i++) {
          Recorder recorder = new Recorder();
          recorders.add(recorder);
          GenerationOptions options =
              random.nextInt(4) == 0 ? options(30).withBeams(2) : options(30).withN(1 + i % 2);
          fixture.send(
              request(prompt(random.nextInt(5), 5 + random.nextInt(80)), options, recorder));
        }
        fixture.step(random.nextInt(3));
        for (int i = 0; i < 5; i++) {
          long id = random.nextInt(recorders.size());
          fixture.engine.cancel(id);
          fixture.engine.check();
          assertThat(recorders.get((int) id).ended()).isTrue(); // at once, not a step later
        }
      }
      fixture.run();
      assertThat(recorders).allMatch(Recorder::ended);
      assertThat(fixture.engine.stats().requests()).isEqualTo(recorders.size());
    }
  }
}
