package org.chunkllama.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.chunkllama.error.InvalidRequestException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Ours and the peers' offline scripts, one after another, each on all cores, several times in
 * turns. The last JSON line of each process (its second round) counts; medians over the turns.
 */
public final class PeersBench {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String TCMALLOC = "libtcmalloc_minimal.so.4";

  /** Who is measured. */
  public enum Engine {
    CHUNKLLAMA,
    VLLM,
    LLAMA_CPP
  }

  private final Path peers;
  private final Path scripts;
  private final List<String> ours;
  private final Consumer<String> log;

  /**
   * Compares with peers.
   *
   * @param peers folder that the peers' setup.sh filled: venv, gguf, smollm2-bf16
   * @param scripts folder of vllm_offline.py and llama_cpp_offline.py
   * @param ours command that prints our figures as JSON lines
   * @param log told of each process
   * @throws InvalidRequestException if a folder is not what it should be
   */
  public PeersBench(Path peers, Path scripts, List<String> ours, Consumer<String> log) {
    this.peers = peers.toAbsolutePath().normalize();
    this.scripts = scripts.toAbsolutePath().normalize();
    this.ours = List.copyOf(ours);
    this.log = log;
    require(python(), "--peers must be the folder that the peers' setup.sh filled");
    require(
        this.scripts.resolve("vllm_offline.py"),
        "--scripts must be the folder of the peers' scripts");
  }

  private static void require(Path file, String rule) {
    if (!Files.exists(file)) {
      throw new InvalidRequestException(rule + ": " + file + " does not exist");
    }
  }

  /**
   * Runs every engine {@code turns} times.
   *
   * @return figures by engine, medians over the turns
   * @throws IOException if a process cannot be run or prints no figures
   */
  public Map<Engine, Map<String, Double>> run(int turns) throws IOException {
    Map<Engine, List<Map<String, Double>>> all = new EnumMap<>(Engine.class);
    for (int turn = 0; turn < turns; turn++) {
      for (Engine engine : Engine.values()) {
        Map<String, Double> figures = figures(engine);
        log.accept("turn %d of %d: %s %s".formatted(turn + 1, turns, engine, figures));
        all.computeIfAbsent(engine, _ -> new ArrayList<>()).add(figures);
      }
    }
    Map<Engine, Map<String, Double>> medians = new EnumMap<>(Engine.class);
    all.forEach((engine, runs) -> medians.put(engine, medians(runs)));
    return medians;
  }

  private static Map<String, Double> medians(List<Map<String, Double>> runs) {
    Map<String, Double> medians = new LinkedHashMap<>();
    for (String figure : OfflineResult.FIGURES) {
      medians.put(
          figure,
          Ratios.median(
              runs.stream().mapToDouble(run -> run.getOrDefault(figure, Double.NaN)).toArray()));
    }
    return medians;
  }

  private Map<String, Double> figures(Engine engine) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command(engine));
    builder.redirectError(ProcessBuilder.Redirect.DISCARD);
    if (engine != Engine.CHUNKLLAMA) {
      builder.directory(peers.toFile());
      environment(engine, builder.environment());
    }
    Process process = builder.start();
    process.getOutputStream().close();
    Optional<Map<String, Double>> last = Optional.empty();
    try (BufferedReader out =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        Optional<Map<String, Double>> figures = parse(line);
        last = figures.isPresent() ? figures : last;
      }
    }
    return last.orElseThrow(
        () -> new IOException("no figures came from: " + String.join(" ", builder.command())));
  }

  private Path python() {
    return peers.resolve("venv/bin/python");
  }

  private static String allCores() {
    return "0-" + (Runtime.getRuntime().availableProcessors() - 1);
  }

  private List<String> command(Engine engine) throws IOException {
    List<String> command = new ArrayList<>();
    if (Files.isExecutable(Path.of("/usr/bin/taskset"))) {
      command.addAll(List.of("taskset", "-c", allCores()));
    }
    switch (engine) {
      case CHUNKLLAMA -> command.addAll(ours);
      case VLLM ->
          command.addAll(
              List.of(
                  python().toString(),
                  scripts.resolve("vllm_offline.py").toString(),
                  "smollm2-bf16"));
      case LLAMA_CPP ->
          command.addAll(
              List.of(
                  python().toString(),
                  scripts.resolve("llama_cpp_offline.py").toString(),
                  gguf().toString(),
                  String.valueOf(Runtime.getRuntime().availableProcessors())));
    }
    return command;
  }

  private Path gguf() throws IOException {
    try (Stream<Path> files = Files.list(peers.resolve("gguf"))) {
      return files
          .filter(file -> file.toString().endsWith(".gguf"))
          .sorted()
          .findFirst()
          .orElseThrow(() -> new IOException("no GGUF file in " + peers.resolve("gguf")));
    }
  }

  /** As the peers' README says is fair: vLLM on every core, with the faster allocator. */
  private void environment(Engine engine, Map<String, String> environment) throws IOException {
    environment.put("HF_HUB_OFFLINE", "1");
    environment.put("PATH", peers.resolve("venv/bin") + ":" + environment.get("PATH"));
    if (engine == Engine.VLLM) {
      environment.put("VLLM_CPU_KVCACHE_SPACE", "2");
      environment.put("VLLM_CPU_OMP_THREADS_BIND", allCores());
      List<String> preload = new ArrayList<>();
      preload.addAll(allocator());
      preload.add(peers.resolve("venv/lib/libiomp5.so").toString());
      environment.put("LD_PRELOAD", String.join(":", preload));
    }
  }

  private List<String> allocator() throws IOException {
    for (Path folder : List.of(Path.of("/usr/lib/x86_64-linux-gnu"), Path.of("/usr/lib64"))) {
      Path library = folder.resolve(TCMALLOC);
      if (Files.exists(library)) {
        return List.of(library.toString());
      }
    }
    log.accept("vLLM runs without tcmalloc, which is slower: " + TCMALLOC + " is not installed");
    return List.of();
  }

  /** The figures of a line of JSON; empty for anything else that a process prints. */
  static Optional<Map<String, Double>> parse(String line) {
    if (!line.startsWith("{")) {
      return Optional.empty();
    }
    JsonNode node;
    try {
      node = JSON.readTree(line);
    } catch (JacksonException _) {
      return Optional.empty();
    }
    Map<String, Double> figures = new LinkedHashMap<>();
    for (String figure : OfflineResult.FIGURES) {
      JsonNode value = node.get(figure);
      if (value == null || !value.isNumber()) {
        return Optional.empty();
      }
      figures.put(figure, value.doubleValue());
    }
    return Optional.of(figures);
  }
}
