package org.chunkllama.bench.faults;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Faults, one after another, against servers that it starts. After each the server must account for
 * all chunks, hold no more threads and file handles than before, and answer as it did.
 */
public final class FaultsBench implements AutoCloseable {
  /** Short, so that slow clients are soon cut off. */
  static final Duration PATIENCE = Duration.ofSeconds(2);

  static final int BODY_BYTES = 1 << 20;

  private static final List<String> SHARED =
      List.of(
          "--request-timeout",
          PATIENCE.toSeconds() + "s",
          "--write-timeout",
          PATIENCE.toSeconds() + "s",
          "--max-body",
          String.valueOf(BODY_BYTES));

  /** So that the same tokens come whoever else is in the batch. */
  private static final List<String> EXACT = List.of("--precision", "fp32", "--kv-type", "fp32");

  private static final Pattern CHUNK_BYTES = Pattern.compile("no chunk of ([0-9,.]+) bytes");
  private static final int[] REFERENCE = Calls.prompt(1, 40);
  private static final int WARM_UP_STREAMS = 64;
  private static final int RETRIES = 5;

  private final List<String> command;
  private final Consumer<FaultResult> watcher;
  private @Nullable ServerProcess shared;

  /**
   * @param command that runs 'serve' on a free port with the model to test
   * @param watcher told of each result
   */
  public FaultsBench(List<String> command, Consumer<FaultResult> watcher) {
    this.command = Stream.concat(command.stream(), EXACT.stream()).toList();
    this.watcher = watcher;
  }

  /** Every fault once. */
  public List<FaultResult> all() throws IOException, InterruptedException {
    List<FaultResult> results = new ArrayList<>(run(faultsOfAShared()));
    results.addAll(run(faultsOfItsOwn()));
    return results;
  }

  /** Those that one server can take, again and again until the time is over; at least once. */
  public List<FaultResult> soak(Duration time) throws IOException, InterruptedException {
    long end = System.nanoTime() + time.toNanos();
    List<FaultResult> results = new ArrayList<>();
    do {
      results.addAll(run(faultsOfAShared()));
    } while (System.nanoTime() < end);
    return results;
  }

  private static List<Fault> faultsOfAShared() {
    List<Fault> faults = new ArrayList<>();
    faults.addAll(BadInput.faults());
    faults.addAll(Vanishing.faults());
    faults.addAll(SlowClients.faults());
    return faults;
  }

  private List<Fault> faultsOfItsOwn() throws IOException {
    List<Fault> faults = new ArrayList<>();
    faults.add(Crowd.fault());
    faults.add(SmallPool.fault(chunkBytes()));
    faults.add(Strangers.fault());
    faults.addAll(Injected.faults());
    faults.add(Stopping.fault());
    return faults;
  }

  private List<FaultResult> run(List<Fault> faults) throws IOException, InterruptedException {
    List<FaultResult> results = new ArrayList<>();
    for (Fault fault : faults) {
      FaultResult result = run(fault);
      watcher.accept(result);
      results.add(result);
    }
    return results;
  }

  private FaultResult run(Fault fault) throws IOException, InterruptedException {
    if (fault.isShared()) {
      return befall(fault, sharedServer());
    }
    try (ServerProcess own = ServerProcess.start(command, fault.options(), fault.jvm())) {
      return befall(fault, own);
    }
  }

  private ServerProcess sharedServer() throws IOException {
    if (shared == null || !shared.isAlive()) {
      shared = ServerProcess.start(command, SHARED);
    }
    return shared;
  }

  private static FaultResult befall(Fault fault, ServerProcess server) throws InterruptedException {
    long begin = System.nanoTime();
    Optional<Accounts> before = Optional.empty();
    Optional<Accounts> after = Optional.empty();
    String detail;
    boolean passed = true;
    try {
      String expected = reference(server);
      warmUp(server);
      before = Optional.of(Accounts.idle(server));
      detail = fault.course().befall(server);
      if (server.isAlive()) {
        after = Optional.of(Accounts.back(server, before.get()));
        FaultException.unless(
            reference(server).equals(expected), "a later request got another answer");
      }
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception e) {
      passed = false;
      detail = e instanceof FaultException ? String.valueOf(e.getMessage()) : e.toString();
    }
    double seconds = (System.nanoTime() - begin) / 1e9;
    return new FaultResult(fault.name(), passed, detail, before, after, seconds);
  }

  /** A short greedy answer, or why there is none: a server may ask for a key. */
  private static String reference(ServerProcess server) throws IOException, InterruptedException {
    String body = Calls.text(Calls.completion(REFERENCE, 8));
    try (Calls calls = new Calls(server)) {
      var response = calls.post(Calls.COMPLETIONS, body);
      // A server into which exceptions are injected may fail here too.
      for (int i = 0; i < RETRIES && response.statusCode() == 500; i++) {
        response = calls.post(Calls.COMPLETIONS, body);
      }
      return response.statusCode() == 200
          ? Calls.parse(response.body()).get("choices").toString()
          : "status " + response.statusCode();
    }
  }

  /** So that the threads which a load brings are there before they are counted. */
  private static void warmUp(ServerProcess server) throws IOException, InterruptedException {
    try (Calls calls = new Calls(server)) {
      String body =
          Calls.text(Calls.completion(REFERENCE, 4)).replaceFirst("\\{", "{\"stream\":true,");
      List<CompletableFuture<?>> streams = new ArrayList<>();
      for (int i = 0; i < WARM_UP_STREAMS; i++) {
        streams.add(calls.send(Calls.COMPLETIONS, body));
      }
      CompletableFuture.allOf(streams.toArray(new CompletableFuture<?>[0])).join();
    }
  }

  /** Bytes of a chunk, which the refusal of a smaller pool tells. */
  private long chunkBytes() throws IOException {
    try (ServerProcess _ = ServerProcess.start(command, List.of("--kv-memory", "1"))) {
      throw new IOException("a pool of 1 byte was taken");
    } catch (IOException e) {
      Matcher matcher = CHUNK_BYTES.matcher(String.valueOf(e.getMessage()));
      if (!matcher.find()) {
        throw e;
      }
      return Long.parseLong(matcher.group(1).replaceAll("\\D", ""));
    }
  }

  @Override
  public void close() {
    if (shared != null) {
      shared.close();
    }
  }
}
