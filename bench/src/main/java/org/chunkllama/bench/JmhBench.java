package org.chunkllama.bench;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.chunkllama.error.InvalidRequestException;
import org.openjdk.jmh.runner.NoBenchmarksException;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/** The kernels' JMH benchmarks, run from this distribution. */
public final class JmhBench {
  private JmhBench() {}

  /**
   * Runs benchmarks; JMH prints to standard output.
   *
   * @param arguments as JMH's own command line takes them: a regular expression, {@code -prof gc},
   *     {@code -p name=value}, ...
   * @throws InvalidRequestException if JMH does not take them or finds no benchmark
   */
  public static void run(List<String> arguments) throws IOException {
    forkOnClassPath();
    try {
      new Runner(
              new OptionsBuilder()
                  .parent(new CommandLineOptions(arguments.toArray(String[]::new)))
                  .jvmArgsAppend(
                      "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED")
                  .build())
          .run();
    } catch (CommandLineOptionException | NoBenchmarksException e) {
      throw new InvalidRequestException(
          "JMH: " + (e instanceof NoBenchmarksException ? "no such benchmark" : e.getMessage()), e);
    } catch (RunnerException e) {
      throw new IOException("JMH failed: " + e.getMessage(), e);
    }
  }

  /** JMH starts its forks with this JVM's class path; run as modules, that is empty. */
  private static void forkOnClassPath() throws IOException {
    String modulePath = System.getProperty("jdk.module.path", "");
    if (modulePath.isEmpty()) {
      return;
    }
    StringBuilder classPath = new StringBuilder();
    for (String element : modulePath.split(File.pathSeparator, -1)) {
      try (Stream<Path> jars = Files.walk(Path.of(element), 1)) {
        classPath.append(
            jars.filter(path -> path.toString().endsWith(".jar"))
                .map(Path::toString)
                .collect(Collectors.joining(File.pathSeparator, "", File.pathSeparator)));
      }
    }
    System.setProperty("java.class.path", classPath.toString());
  }
}
