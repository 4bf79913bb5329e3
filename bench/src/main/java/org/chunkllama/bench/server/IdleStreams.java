package org.chunkllama.bench.server;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.chunkllama.bench.faults.ServerProcess;

/**
 * Memory that streams take which wait for their turn.
 *
 * @param streams open
 * @param bytesBefore resident memory of the process with none of them
 * @param bytesWith resident memory with all of them
 * @param bytesAfter resident memory once they are gone
 */
public record IdleStreams(int streams, long bytesBefore, long bytesWith, long bytesAfter) {
  private static final int STREAMS = 1000;

  static IdleStreams measure(List<String> command) throws IOException, InterruptedException {
    // One sequence at a time: all others wait.
    List<String> options = List.of("--max-sequences", "1", "--max-queue", "2000");
    try (ServerProcess server = ServerProcess.start(command, options)) {
      hold(server, 200, 50); // what the first connections bring in stays out of the comparison
      long before = resident(server);
      List<StreamClient> streams = open(server, STREAMS, 2000);
      long with;
      try {
        with = resident(server);
      } finally {
        close(streams);
      }
      awaitNone(server);
      return new IdleStreams(STREAMS, before, with, resident(server));
    }
  }

  private static void hold(ServerProcess server, int count, int tokens)
      throws IOException, InterruptedException {
    List<StreamClient> streams = open(server, count, tokens);
    close(streams);
    awaitNone(server);
  }

  private static void awaitNone(ServerProcess server) throws IOException, InterruptedException {
    while (Metrics.of(server).value("vllm:num_requests_waiting") > 0
        || Metrics.of(server).value("vllm:num_requests_running") > 0) {
      Thread.sleep(20);
    }
  }

  private static List<StreamClient> open(ServerProcess server, int count, int tokens)
      throws IOException, InterruptedException {
    List<StreamClient> streams = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      streams.add(StreamClient.open(server, i, 100, tokens));
    }
    while (Metrics.of(server).value("vllm:num_requests_waiting") < count - 1) {
      Thread.sleep(20);
    }
    return streams;
  }

  private static void close(List<StreamClient> streams) throws IOException {
    for (StreamClient stream : streams) {
      stream.close();
    }
  }

  /** After a collection, so that rubbish does not count. */
  private static long resident(ServerProcess server) throws IOException, InterruptedException {
    Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
    Process collect =
        new ProcessBuilder(jcmd.toString(), String.valueOf(server.pid()), "GC.run")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    if (!collect.waitFor(30, TimeUnit.SECONDS) || collect.exitValue() != 0) {
      throw new IOException("jcmd could not ask the server for a collection");
    }
    return server
        .residentBytes()
        .orElseThrow(() -> new IOException("this system does not tell a process's memory"));
  }

  /** Bytes that the streams brought. */
  public long bytes() {
    return bytesWith - bytesBefore;
  }
}
