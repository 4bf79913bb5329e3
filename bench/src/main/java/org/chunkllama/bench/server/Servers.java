package org.chunkllama.bench.server;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.chunkllama.bench.Peers;
import org.chunkllama.bench.faults.ServerProcess;
import tools.jackson.databind.JsonNode;

/** The servers that are compared, started together and loaded one at a time. */
final class Servers implements AutoCloseable {
  private final Map<Target, String> urls = new EnumMap<>(Target.class);
  private final Map<Target, ServerProcess> ours = new EnumMap<>(Target.class);
  private final Deque<AutoCloseable> started = new ArrayDeque<>();
  private final LoadClient client;

  /**
   * @param command that runs our 'serve' on a free port
   */
  Servers(Peers peers, List<String> command, Set<Target> targets)
      throws IOException, InterruptedException {
    client = new LoadClient(peers);
    try {
      for (Target target : targets) {
        start(peers, command, target);
      }
    } catch (IOException | InterruptedException e) {
      close();
      throw e;
    }
  }

  private void start(Peers peers, List<String> command, Target target)
      throws IOException, InterruptedException {
    if (target == Target.VLLM) {
      VllmServer server = VllmServer.start(peers);
      started.push(server);
      urls.put(target, server.url());
      return;
    }
    List<String> options = target == Target.UNSHARED ? List.of("--no-prefix-sharing") : List.of();
    ServerProcess server = ServerProcess.start(command, options);
    started.push(server);
    ours.put(target, server);
    urls.put(target, server.url());
  }

  /** Loads one of them. */
  LoadResult load(Target target, Load load, double rate, int requests, int seed)
      throws IOException, InterruptedException {
    JsonNode figures = client.run(url(target), load, rate, requests, seed);
    return LoadResult.of(load, target, rate, requests, figures, kvBytesPeak(target));
  }

  private String url(Target target) {
    String url = urls.get(target);
    if (url == null) {
      throw new IllegalArgumentException(target + " was not started");
    }
    return url;
  }

  private long kvBytesPeak(Target target) throws IOException, InterruptedException {
    ServerProcess server = ours.get(target);
    return server == null ? 0 : (long) Metrics.of(server).value("chunkllama_kv_bytes_peak");
  }

  @Override
  public void close() {
    while (!started.isEmpty()) {
      try {
        started.pop().close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
