package org.chunkllama.bench.server;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.chunkllama.bench.faults.ServerProcess;

/**
 * Where the time goes while 32 streams run.
 *
 * @param steps of the engine
 * @param wallSeconds from the first request to the last token
 * @param modelSeconds the forward passes
 * @param outputSeconds from logits to tokens
 * @param planSeconds scheduling
 */
public record StepTimes(
    long steps, double wallSeconds, double modelSeconds, double outputSeconds, double planSeconds) {
  private static final int STREAMS = 32;
  private static final int TOKENS = 192;

  /** Part of the time that is neither model nor sampling: scheduling, HTTP, waiting. */
  public double overhead() {
    return 1 - (modelSeconds + outputSeconds) / wallSeconds;
  }

  static StepTimes measure(List<String> command) throws IOException, InterruptedException {
    try (ServerProcess server = ServerProcess.start(command, List.of())) {
      run(server, 1);
      run(server, 2);
      Metrics before = Metrics.of(server);
      double seconds = run(server, 3);
      Metrics after = Metrics.of(server);
      return new StepTimes(
          (long) difference(before, after, "chunkllama_steps_total"),
          seconds,
          difference(before, after, "chunkllama_model_seconds_total"),
          difference(before, after, "chunkllama_output_seconds_total"),
          difference(before, after, "chunkllama_plan_seconds_total"));
    }
  }

  private static double difference(Metrics before, Metrics after, String name) throws IOException {
    return after.value(name) - before.value(name);
  }

  private static double run(ServerProcess server, int round)
      throws IOException, InterruptedException {
    long begin = System.nanoTime();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Boolean>> ends = new ArrayList<>();
      for (int i = 0; i < STREAMS; i++) {
        long seed = 1000L * round + i;
        ends.add(
            threads.submit(() -> {
              try (StreamClient stream = StreamClient.open(server, seed, 16, TOKENS)) {
                stream.drain();
                return true;
              }
            }));
      }
      for (Future<Boolean> end : ends) {
        end.get();
      }
    } catch (ExecutionException e) {
      throw new IOException("a stream failed", e);
    }
    return (System.nanoTime() - begin) / 1e9;
  }
}
