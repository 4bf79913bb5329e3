package org.chunkllama.bench.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.chunkllama.bench.Peers;

/**
 * Our server, the same without sharing, and vLLM's under one client, loaded in turns at rising
 * rates. A server whose median time per token reaches {@link #TPOT_MILLIS} is loaded no further.
 */
public final class ServerBench {
  /** Readers' patience: a rate counts while the median time per token is under this. */
  public static final double TPOT_MILLIS = 100;

  private static final int LEAST_REQUESTS = 24;

  /**
   * How much is measured.
   *
   * @param rates requests per second, rising
   * @param seconds how long each rate lasts; at least 24 requests
   * @param turns how often throughput is measured; medians count
   */
  public record Plan(List<Double> rates, double seconds, int turns, int seed) {
    int requests(double rate) {
      return (int) Math.max(LEAST_REQUESTS, Math.round(rate * seconds));
    }
  }

  private final Peers peers;
  private final List<String> command;
  private final Plan plan;
  private final Consumer<String> log;

  /**
   * @param command that runs our 'serve' on a free port under the name of the peers' model
   * @param log told of each result
   */
  public ServerBench(Peers peers, List<String> command, Plan plan, Consumer<String> log) {
    this.peers = peers;
    this.command = List.copyOf(command);
    this.plan = plan;
    this.log = log;
  }

  /** 2,000 common tokens, 32 own. */
  public List<LoadResult> commonPrefix() throws IOException, InterruptedException {
    return ramp(Load.commonPrefix());
  }

  /**
   * A real system prompt and questions about tables.
   *
   * @param prompts folder with chameleon and tabmwp
   */
  public List<LoadResult> questions(Path prompts) throws IOException, InterruptedException {
    peers.install("pandas");
    int most = plan.rates().stream().mapToInt(plan::requests).sum();
    Path file = Questions.write(prompts, most);
    try {
      return ramp(Load.ofFile("tabmwp-policy", file));
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private List<LoadResult> ramp(Load load) throws IOException, InterruptedException {
    List<LoadResult> results = new ArrayList<>();
    Set<Target> left = EnumSet.allOf(Target.class);
    try (Servers servers = new Servers(peers, command, left)) {
      warmUp(servers);
      for (int i = 0; i < plan.rates().size(); i++) {
        double rate = plan.rates().get(i);
        for (Target target : List.copyOf(left)) {
          // Another seed for each rate: what was own to a request then is cached now.
          LoadResult result =
              servers.load(target, load, rate, plan.requests(rate), plan.seed() + i);
          tell(result);
          results.add(result);
          if (result.tpotMillis() >= TPOT_MILLIS) {
            left.remove(target);
          }
        }
      }
    }
    return results;
  }

  /** Random prompts, all at once, several times in turns. */
  public List<LoadResult> nothingShared() throws IOException, InterruptedException {
    List<LoadResult> results = new ArrayList<>();
    Set<Target> all = EnumSet.allOf(Target.class);
    try (Servers servers = new Servers(peers, command, all)) {
      warmUp(servers);
      for (int turn = 0; turn < plan.turns(); turn++) {
        for (Target target : all) {
          LoadResult result =
              servers.load(
                  target, Load.nothingShared(), Double.POSITIVE_INFINITY, 64, plan.seed() + turn);
          tell(result);
          results.add(result);
        }
      }
    }
    return results;
  }

  /** So that compilers are done and no page of the pool is touched for the first time. */
  private void warmUp(Servers servers) throws IOException, InterruptedException {
    for (Target target : Target.values()) {
      servers.load(target, Load.nothingShared(), Double.POSITIVE_INFINITY, 32, plan.seed() - 1);
    }
  }

  private void tell(LoadResult result) {
    log.accept(
        "%s, %s at %s/s: %d completed, %d failed, TTFT %.0f ms, TPOT %.1f ms, %.1f tokens/s"
            .formatted(
                result.load(),
                result.target(),
                result.rate(),
                result.completed(),
                result.failed(),
                result.ttftMillis(),
                result.tpotMillis(),
                result.tokensPerSecond()));
  }

  /** Where the time of a step goes with 32 streams. */
  public StepTimes stepTimes() throws IOException, InterruptedException {
    return StepTimes.measure(command);
  }

  /** Memory that 1,000 streams take which wait. */
  public IdleStreams idleStreams() throws IOException, InterruptedException {
    return IdleStreams.measure(command);
  }
}
