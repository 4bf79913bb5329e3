package org.chunkllama.bench.server;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.chunkllama.bench.Peers;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** vLLM's own load generator. */
final class LoadClient {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final Peers peers;

  LoadClient(Peers peers) {
    this.peers = peers;
  }

  /**
   * Loads a server and waits for all answers.
   *
   * @param rate requests per second, infinite for all at once
   * @return the client's figures, as it saves them
   */
  JsonNode run(String url, Load load, double rate, int requests, int seed)
      throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("chunkllama-load");
    Path log = folder.resolve("log");
    Path figures = folder.resolve("figures.json");
    List<String> command = new ArrayList<>();
    command.addAll(List.of(peers.python(), peers.script("vllm_cli.py"), "bench", "serve"));
    command.addAll(List.of("--backend", "openai", "--base-url", url));
    command.addAll(List.of("--model", Peers.MODEL, "--tokenizer", Peers.MODEL, "--ignore-eos"));
    command.addAll(List.of("--num-prompts", String.valueOf(requests)));
    command.addAll(
        List.of("--request-rate", Double.isInfinite(rate) ? "inf" : String.valueOf(rate)));
    command.addAll(
        List.of(
            "--num-warmups",
            "1",
            "--seed",
            String.valueOf(seed),
            "--disable-tqdm",
            "--save-result"));
    command.addAll(List.of("--result-dir", folder.toString(), "--result-filename", "figures.json"));
    command.addAll(load.options());
    ProcessBuilder builder = peers.process(command).redirectErrorStream(true);
    Process process = builder.redirectOutput(log.toFile()).start();
    try {
      process.getOutputStream().close();
      int status = process.waitFor();
      if (status != 0 || !Files.exists(figures)) {
        throw new IOException("vLLM's client ended with %d: %s".formatted(status, end(log)));
      }
      return JSON.readTree(Files.readString(figures));
    } finally {
      process.destroyForcibly();
      Files.deleteIfExists(figures);
      Files.deleteIfExists(log);
      Files.deleteIfExists(folder);
    }
  }

  private static String end(Path log) throws IOException {
    String text = new String(Files.readAllBytes(log), StandardCharsets.UTF_8);
    return text.substring(Math.max(0, text.length() - 2000));
  }
}
