package org.chunkllama.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.chunkllama.error.InvalidRequestException;

/** This program's own command line, for benchmarks that run it in a process of its own. */
final class OurCommand {
  private OurCommand() {}

  /**
   * The command line of this process up to its first argument, then {@code arguments}.
   *
   * @throws InvalidRequestException if this process was not started by the script
   */
  static List<String> with(List<String> arguments) {
    ProcessHandle.Info info = ProcessHandle.current().info();
    Optional<String> java = info.command();
    String main = "org.chunkllama.cli/" + ChunkLlama.class.getName();
    List<String> all = List.of(info.arguments().orElse(new String[0]));
    int last = all.indexOf(main);
    if (java.isEmpty() || last < 0) {
      throw new InvalidRequestException("run this benchmark by ./chunkllama");
    }
    List<String> command = new ArrayList<>(List.of(java.get()));
    command.addAll(all.subList(0, last + 1));
    command.addAll(arguments);
    return command;
  }
}
