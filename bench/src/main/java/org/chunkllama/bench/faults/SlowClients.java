package org.chunkllama.bench.faults;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Clients that hold on to what they have by doing next to nothing. */
final class SlowClients {
  private static final int COUNT = 50;
  private static final long MOST_NANOS = FaultsBench.PATIENCE.toNanos() + 8_000_000_000L;

  private SlowClients() {}

  static List<Fault> faults() {
    return List.of(
        Fault.shared("slowloris", SlowClients::drip),
        Fault.shared("readers that stop", SlowClients::stall));
  }

  private static String drip(ServerProcess server) throws Exception {
    String head = RawClient.head(Calls.COMPLETIONS, 10_000) + "{\"prompt\":\"";
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        Calls calls = new Calls(server)) {
      List<Future<Long>> held = new ArrayList<>();
      for (int i = 0; i < COUNT; i++) {
        String begin = i % 2 == 0 ? "POST " : head;
        held.add(threads.submit(() -> nanosUntilCutOff(server, begin)));
      }
      Thread.sleep(200);
      String body = Calls.text(Calls.completion(Calls.prompt(3, 30), 4));
      Calls.answer(calls.post(Calls.COMPLETIONS, body)); // others are served meanwhile
      long longest = 0;
      for (Future<Long> one : held) {
        longest = Math.max(longest, one.get());
      }
      FaultException.unless(longest < MOST_NANOS, "held for %.1f s".formatted(longest / 1e9));
      return "%d clients cut off after %.1f s at most".formatted(COUNT, longest / 1e9);
    }
  }

  private static long nanosUntilCutOff(ServerProcess server, String begin)
      throws IOException, InterruptedException {
    long since = System.nanoTime();
    try (RawClient client = new RawClient(server).write(begin)) {
      while (System.nanoTime() - since < MOST_NANOS) {
        Thread.sleep(100);
        client.write("x");
      }
    } catch (IOException _) {
      // as it should be
    }
    return System.nanoTime() - since;
  }

  private static String stall(ServerProcess server) throws Exception {
    Map<String, Object> body = Calls.completion(Calls.prompt(5, 60), 300);
    // More than the operating system's buffers take.
    body.putAll(Map.of("stream", true, "logprobs", 20, "n", 64));
    List<RawClient> clients = new ArrayList<>();
    long begin = System.nanoTime();
    for (int i = 0; i < 2; i++) {
      clients.add(new RawClient(server).post(Calls.COMPLETIONS, Calls.text(body)));
    }
    Accounts.idle(server);
    double seconds = (System.nanoTime() - begin) / 1e9;
    int cutOff = 0;
    for (RawClient client : clients) {
      try (client) {
        client.readUntil("[DONE]");
      } catch (IOException _) {
        cutOff++;
      }
    }
    FaultException.unless(
        cutOff == clients.size(), "only %d of %d were cut off".formatted(cutOff, clients.size()));
    return "%d clients cut off, their chunks back after %.1f s".formatted(cutOff, seconds);
  }
}
