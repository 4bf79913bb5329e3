package org.chunkllama.bench.faults;

import java.io.IOException;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/**
 * What a server holds once nobody asks anything of it.
 *
 * @param threads of the operating system
 * @param handles open files and sockets
 */
public record Accounts(
    int free, int retained, int live, int total, OptionalInt threads, OptionalInt handles) {
  private static final long WAIT_NANOS = 180_000_000_000L;

  /** The JVM starts and ends threads of its own: compilers, carriers of virtual threads. */
  private static final int THREADS_OF_THE_JVM = 8;

  private static final Pattern OPEN =
      Pattern.compile("(?m)^chunkllama_(?:connections|http_requests_open) (\\S+)$");

  /** Waits until nothing runs and only the asking connection is open. */
  static Accounts idle(ServerProcess server)
      throws IOException, InterruptedException, FaultException {
    long deadline = System.nanoTime() + WAIT_NANOS;
    while (true) {
      Accounts now;
      boolean idle;
      try (Calls calls = new Calls(server)) {
        idle = isAlone(calls.get("/metrics"));
        now = of(calls.get("/v1/tree"), server);
      }
      if (idle && now.live == 0) {
        return now;
      }
      FaultException.unless(
          System.nanoTime() < deadline, "still busy after 180 s: %s".formatted(now));
      Thread.sleep(20);
    }
  }

  /** Waits until it holds no more than before; the figures of then. */
  static Accounts back(ServerProcess server, Accounts before)
      throws IOException, InterruptedException, FaultException {
    long deadline = System.nanoTime() + WAIT_NANOS;
    while (true) {
      Accounts now = idle(server);
      if (now.isNoMoreThan(before) || System.nanoTime() > deadline) {
        now.check(before);
        return now;
      }
      Thread.sleep(100);
    }
  }

  /** This asking itself counts as one connection. */
  private static boolean isAlone(String metrics) {
    Matcher matcher = OPEN.matcher(metrics);
    int figures = 0;
    while (matcher.find()) {
      figures++;
      if (Double.parseDouble(matcher.group(1)) > 1) {
        return false;
      }
    }
    return figures == 2;
  }

  private static Accounts of(String tree, ServerProcess server) throws FaultException {
    JsonNode chunks = Calls.parse(tree).get("chunks");
    if (chunks == null) {
      throw new FaultException("no accounts: " + tree);
    }
    return new Accounts(
        chunks.get("free").intValue(),
        chunks.get("retained").intValue(),
        chunks.get("live").intValue(),
        chunks.get("total").intValue(),
        server.threads(),
        server.handles());
  }

  private boolean isNoMoreThan(Accounts before) {
    return threads.orElse(0) <= before.threads.orElse(0) + THREADS_OF_THE_JVM
        && handles.orElse(0) <= before.handles.orElse(0) + 1; // the asking connection's, closing
  }

  private void check(Accounts before) throws FaultException {
    FaultException.unless(
        free + retained + live == total, "chunks do not add up: %s".formatted(this));
    FaultException.unless(total == before.total, "the pool changed size: %s".formatted(this));
    FaultException.unless(
        isNoMoreThan(before),
        "threads or file handles are left: %s, before: %s".formatted(this, before));
  }

  /** Chunks as a sum. */
  public String chunks() {
    return "%d free + %d retained + %d live = %d".formatted(free, retained, live, total);
  }
}
