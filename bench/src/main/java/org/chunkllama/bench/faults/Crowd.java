package org.chunkllama.bench.faults;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Ten thousand connections at once where far fewer are taken. */
final class Crowd {
  private static final int CLIENTS = 10_000;
  private static final int LIMIT = 500;

  private Crowd() {}

  static Fault fault() {
    return Fault.own(
        "10,000 connections",
        List.of("--max-connections", String.valueOf(LIMIT)),
        server -> befall(server, CLIENTS));
  }

  private static String befall(ServerProcess server, int count) throws Exception {
    Map<String, Integer> seen = new TreeMap<>();
    CountDownLatch allAsked = new CountDownLatch(count);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<String>> answers = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        answers.add(threads.submit(() -> ask(server, allAsked)));
      }
      for (Future<String> answer : answers) {
        seen.merge(answer.get(), 1, Integer::sum);
      }
    }
    int taken = seen.getOrDefault("200", 0);
    int refused = seen.getOrDefault("503", 0);
    FaultException.unless(
        taken + refused == count && taken >= LIMIT / 2 && taken <= LIMIT,
        "at a limit of %d connections: %s".formatted(LIMIT, seen));
    return "%d taken, %d refused with 503 (limit %d)".formatted(taken, refused, LIMIT);
  }

  /** Holds its connection until everybody has asked. */
  private static String ask(ServerProcess server, CountDownLatch allAsked)
      throws InterruptedException {
    try (RawClient client = new RawClient(server)) {
      String status;
      try {
        client.write("GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n");
        status = String.valueOf(client.status());
      } finally {
        allAsked.countDown();
      }
      allAsked.await();
      return status;
    } catch (IOException e) {
      allAsked.countDown();
      return String.valueOf(e.getMessage());
    }
  }
}
