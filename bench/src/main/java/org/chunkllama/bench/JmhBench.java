package org.chunkllama.bench;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.chunkllama.error.InvalidRequestException;

/**
 * The kernels' JMH benchmarks, run from this distribution: JMH's own command line in a JVM of its
 * own, because it and its forks want everything on the class path.
 */
public final class JmhBench {
  private JmhBench() {}

  /**
   * Runs benchmarks; JMH prints to standard output.
   *
   * @param arguments as JMH's own command line takes them: a regular expression, {@code -prof gc},
   *     {@code -p name=value}, ...
   * @throws InvalidRequestException if JMH does not take them, finds no benchmark, or one fails
   */
  public static void run(List<String> arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            classPath(),
            "org.openjdk.jmh.Main",
            "-foe", // a benchmark that throws is an error, not a missing line
            "true"));
    command.addAll(arguments);
    int status = new ProcessBuilder(command).inheritIO().start().waitFor();
    if (status != 0) {
      throw new InvalidRequestException(
          "JMH ended with status " + status + "; 'chunkllama bench jmh -- -h' shows its options");
    }
  }

  /** Class path and module path of this JVM, folders of jars spelled out. */
  private static String classPath() throws IOException {
    List<String> all = new ArrayList<>();
    for (String property : List.of("jdk.module.path", "java.class.path")) {
      for (String element : System.getProperty(property, "").split(File.pathSeparator, -1)) {
        if (!element.isEmpty()) {
          all.addAll(jars(Path.of(element)));
        }
      }
    }
    return all.stream().distinct().collect(Collectors.joining(File.pathSeparator));
  }

  private static List<String> jars(Path element) throws IOException {
    if (!Files.isDirectory(element) || Files.exists(element.resolve("META-INF"))) {
      return List.of(element.toString());
    }
    try (Stream<Path> files = Files.list(element)) {
      List<String> jars = files.map(Path::toString).filter(f -> f.endsWith(".jar")).toList();
      return jars.isEmpty() ? List.of(element.toString()) : jars;
    }
  }
}
