package org.chunkllama.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where a command reads and writes.
 *
 * @param in input
 * @param out answers and nothing else, UTF-8
 * @param err progress, summaries and errors, UTF-8
 * @param interactive {@code in} and {@code out} are a terminal
 * @param errTerminal {@code err} is a terminal
 */
record Console(
    InputStream in, PrintStream out, PrintStream err, boolean interactive, boolean errTerminal) {
  /** The process's own streams. */
  static Console system() {
    return new Console(
        System.in,
        utf8(FileDescriptor.out),
        utf8(FileDescriptor.err),
        isTerminal(0) && isTerminal(1),
        isTerminal(2));
  }

  /** System.out encodes for the locale, which in a container is often plain ASCII. */
  private static PrintStream utf8(FileDescriptor descriptor) {
    return new PrintStream(new FileOutputStream(descriptor), true, StandardCharsets.UTF_8);
  }

  /** Java can tell for input and output together only; Linux tells for each. */
  private static boolean isTerminal(int descriptor) {
    Path link = Path.of("/proc/self/fd/" + descriptor);
    if (Files.isSymbolicLink(link)) {
      try {
        String target = Files.readSymbolicLink(link).toString();
        return target.startsWith("/dev/pts/")
            || target.startsWith("/dev/tty")
            || target.equals("/dev/console");
      } catch (IOException e) {
        return false;
      }
    }
    // Null, says one JDK; never null, says the next.
    return Optional.ofNullable(System.console()).map(java.io.Console::isTerminal).orElse(false);
  }

  /** One line to {@code err} under the command's name. */
  void say(String line) {
    err.println("chunkllama: " + line);
    err.flush();
  }
}
