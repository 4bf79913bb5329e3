package org.chunkllama.bench.server;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.chunkllama.bench.Peers;

/** vLLM's server as a process. */
final class VllmServer implements AutoCloseable {
  private static final Duration START = Duration.ofMinutes(5);

  private final Process process;
  private final String url;

  private VllmServer(Process process, String url) {
    this.process = process;
    this.url = url;
    // A benchmark that is told to stop leaves no server behind.
    Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
  }

  /** Starts it and waits until it serves. */
  static VllmServer start(Peers peers) throws IOException, InterruptedException {
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    Process process =
        peers
            .vllm(
                List.of(
                    peers.python(),
                    peers.script("vllm_cli.py"),
                    "serve",
                    Peers.MODEL,
                    "--dtype",
                    "bfloat16",
                    "--max-model-len",
                    "4096",
                    "--max-num-seqs",
                    "64",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    String.valueOf(port)))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    VllmServer server = new VllmServer(process, "http://127.0.0.1:" + port);
    try {
      server.awaitHealth();
      return server;
    } catch (IOException | InterruptedException e) {
      server.close();
      throw e;
    }
  }

  private void awaitHealth() throws IOException, InterruptedException {
    long deadline = System.nanoTime() + START.toNanos();
    HttpRequest health = HttpRequest.newBuilder(URI.create(url + "/health")).build();
    try (HttpClient client = HttpClient.newHttpClient()) {
      while (true) {
        try {
          if (client.send(health, BodyHandlers.discarding()).statusCode() == 200) {
            return;
          }
        } catch (IOException e) {
          if (!process.isAlive() || System.nanoTime() > deadline) {
            throw new IOException("vLLM's server did not start", e);
          }
        }
        Thread.sleep(500);
      }
    }
  }

  String url() {
    return url;
  }

  /** Ends it and the processes that it started. */
  @Override
  public void close() {
    List<ProcessHandle> all = process.descendants().toList();
    process.destroy();
    try {
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    all.forEach(ProcessHandle::destroyForcibly);
  }
}
