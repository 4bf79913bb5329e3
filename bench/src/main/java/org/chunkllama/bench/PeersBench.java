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
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Ours and the peers' offline scripts, one after another, each on all cores, several times in
 * turns. The last JSON line of each process (its second round) counts; medians over the turns.
 */
public final class PeersBench {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  /** Who is measured. */
  public enum Engine {
    CHUNKLLAMA,
    VLLM,
    LLAMA_CPP
  }

  private final Peers peers;
  private final List<String> ours;
  private final Consumer<String> log;

  /**
   * Compares with peers.
   *
   * @param peers where they are
   * @param ours command that prints our figures as JSON lines
   * @param log told of each process
   */
  public PeersBench(Peers peers, List<String> ours, Consumer<String> log) {
    this.peers = peers;
    this.ours = List.copyOf(ours);
    this.log = log;
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
    ProcessBuilder builder = builder(engine);
    builder.redirectError(ProcessBuilder.Redirect.DISCARD);
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

  private ProcessBuilder builder(Engine engine) throws IOException {
    List<String> command = command(engine);
    return switch (engine) {
      case CHUNKLLAMA -> new ProcessBuilder(command);
      case VLLM -> peers.vllm(command);
      case LLAMA_CPP -> peers.process(command);
    };
  }

  private List<String> command(Engine engine) throws IOException {
    List<String> command = new ArrayList<>();
    if (Files.isExecutable(Path.of("/usr/bin/taskset"))) {
      command.addAll(List.of("taskset", "-c", Peers.allCores()));
    }
    switch (engine) {
      case CHUNKLLAMA -> command.addAll(ours);
      case VLLM ->
          command.addAll(List.of(peers.python(), peers.script("vllm_offline.py"), Peers.MODEL));
      case LLAMA_CPP ->
          command.addAll(
              List.of(
                  peers.python(),
                  peers.script("llama_cpp_offline.py"),
                  gguf().toString(),
                  String.valueOf(Runtime.getRuntime().availableProcessors())));
    }
    return command;
  }

  private Path gguf() throws IOException {
    try (Stream<Path> files = Files.list(peers.folder().resolve("gguf"))) {
      return files
          .filter(file -> file.toString().endsWith(".gguf"))
          .sorted()
          .findFirst()
          .orElseThrow(() -> new IOException("no GGUF file in " + peers.folder()));
    }
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
