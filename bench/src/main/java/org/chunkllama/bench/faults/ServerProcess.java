package org.chunkllama.bench.faults;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A server that runs as a process of its own, started by a command that says where it serves. */
public final class ServerProcess implements AutoCloseable {
  private static final Pattern ADDRESS = Pattern.compile("serving at http://([0-9.]+):(\\d+)");
  private static final int LINES_KEPT = 40;

  /** Read by every 'java' since 9. */
  private static final String JAVA_OPTIONS = "JDK_JAVA_OPTIONS";

  private final Process process;
  private final List<String> said = new ArrayList<>();
  private final int port;

  private ServerProcess(Process process, BufferedReader err) throws IOException {
    this.process = process;
    this.port = awaitPort(err);
    Thread.ofVirtual().start(() -> drain(err));
  }

  /**
   * Starts a server and waits until it serves.
   *
   * @param command that runs 'serve' on a free port
   * @param options more options
   * @throws IOException if it ends before it serves; with what it said
   */
  public static ServerProcess start(List<String> command, List<String> options) throws IOException {
    return start(command, options, List.of());
  }

  /** The same with options for its Java virtual machine. */
  static ServerProcess start(List<String> command, List<String> options, List<String> jvm)
      throws IOException {
    List<String> all = new ArrayList<>(command);
    all.addAll(options);
    ProcessBuilder builder =
        new ProcessBuilder(all).redirectOutput(ProcessBuilder.Redirect.DISCARD);
    if (!jvm.isEmpty()) {
      builder.environment().merge(JAVA_OPTIONS, String.join(" ", jvm), (a, b) -> a + " " + b);
    }
    Process process = builder.start();
    // A benchmark that is told to stop leaves no server behind.
    Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
    try {
      process.getOutputStream().close();
      return new ServerProcess(
          process,
          new BufferedReader(
              new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8)));
    } catch (IOException e) {
      process.destroyForcibly();
      throw e;
    }
  }

  private int awaitPort(BufferedReader err) throws IOException {
    for (String line = err.readLine(); line != null; line = err.readLine()) {
      keep(line);
      Matcher matcher = ADDRESS.matcher(line);
      if (matcher.find()) {
        return Integer.parseInt(matcher.group(2));
      }
    }
    throw new IOException("the server did not start: " + said());
  }

  private void drain(BufferedReader err) {
    try (err) {
      for (String line = err.readLine(); line != null; line = err.readLine()) {
        keep(line);
      }
    } catch (IOException _) {
      // the process has ended
    }
  }

  private synchronized void keep(String line) {
    said.add(line);
    if (said.size() > LINES_KEPT) {
      said.removeFirst();
    }
  }

  /** The last lines that it said. */
  public synchronized String said() {
    return String.join("\n", said);
  }

  public int port() {
    return port;
  }

  /** Where clients find it. */
  public String url() {
    return "http://127.0.0.1:" + port;
  }

  /** The id of the process. */
  public long pid() {
    return process.pid();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** Threads of the operating system that it has; empty where that cannot be told. */
  OptionalInt threads() {
    return entries("task");
  }

  /** Open files and sockets; empty where that cannot be told. */
  OptionalInt handles() {
    return entries("fd");
  }

  /** Bytes of memory it has in use, as the operating system counts; empty where unknown. */
  public Optional<Long> residentBytes() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/%d/status".formatted(process.pid())))) {
      return lines
          .filter(line -> line.startsWith("VmRSS:"))
          .map(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
          .findFirst();
    } catch (IOException | UncheckedIOException _) {
      return Optional.empty();
    }
  }

  private OptionalInt entries(String what) {
    Path folder = Path.of("/proc/%d/%s".formatted(process.pid(), what));
    try (Stream<Path> entries = Files.list(folder)) {
      return OptionalInt.of((int) entries.count());
    } catch (IOException _) {
      return OptionalInt.empty();
    }
  }

  /** Sends SIGTERM. */
  public void terminate() {
    // Unlike the process's own this leaves open what it says.
    boolean _ = process.toHandle().destroy();
  }

  /** Its status once it has ended; empty if it has not in time. */
  public OptionalInt await(Duration limit) throws InterruptedException {
    return process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)
        ? OptionalInt.of(process.exitValue())
        : OptionalInt.empty();
  }

  /** Stops it, by force if it does not stop by itself. */
  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
