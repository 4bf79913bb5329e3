package org.chunkllama.cli;

import java.nio.file.Path;
import java.util.function.Consumer;
import org.chunkllama.bench.Peers;
import picocli.CommandLine.Option;

/** Where the peers of a comparison are. */
final class PeersOptions {
  @Option(
      names = "--peers",
      paramLabel = "FOLDER",
      required = true,
      description = "What the peers' setup.sh filled.")
  private Path folder = Path.of("");

  @Option(
      names = "--scripts",
      paramLabel = "FOLDER",
      defaultValue = "../shared/peers",
      description =
          "Where vllm_offline.py, vllm_cli.py and llama_cpp_offline.py are. Default: ${DEFAULT-VALUE}.")
  private Path scripts = Path.of("");

  /**
   * The peers, told to {@code log} what makes one slower than it could be.
   *
   * @throws org.chunkllama.error.InvalidRequestException if a folder is not what it should be
   */
  Peers peers(Consumer<String> log) {
    return new Peers(folder, scripts, log);
  }
}
