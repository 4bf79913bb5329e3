package org.chunkllama.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.chunkllama.error.InvalidRequestException;

/**
 * Where the peers are, and how their processes are started fairly.
 *
 * @param folder that the peers' setup.sh filled: venv, gguf, smollm2-bf16
 * @param scripts folder of vllm_offline.py, vllm_cli.py and llama_cpp_offline.py
 * @param log told of what makes a peer slower than it could be
 */
public record Peers(Path folder, Path scripts, Consumer<String> log) {
  /** The model under the name of its folder. */
  public static final String MODEL = "smollm2-bf16";

  private static final String TCMALLOC = "libtcmalloc_minimal.so.4";

  /**
   * @throws InvalidRequestException if a folder is not what it should be
   */
  public Peers {
    folder = folder.toAbsolutePath().normalize();
    scripts = scripts.toAbsolutePath().normalize();
    require(
        folder.resolve("venv/bin/python"),
        "--peers must be the folder that the peers' setup.sh filled");
    require(
        scripts.resolve("vllm_offline.py"), "--scripts must be the folder of the peers' scripts");
  }

  private static void require(Path file, String rule) {
    if (!Files.exists(file)) {
      throw new InvalidRequestException(rule + ": " + file + " does not exist");
    }
  }

  /** The interpreter that has all peers. */
  public String python() {
    return folder.resolve("venv/bin/python").toString();
  }

  /** The path of a script. */
  public String script(String name) {
    return scripts.resolve(name).toString();
  }

  static String allCores() {
    return "0-" + (Runtime.getRuntime().availableProcessors() - 1);
  }

  /** A process of a peer, in its folder, without network. */
  public ProcessBuilder process(List<String> command) {
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
    Map<String, String> environment = builder.environment();
    environment.put("HF_HUB_OFFLINE", "1");
    environment.put("PATH", folder.resolve("venv/bin") + ":" + environment.get("PATH"));
    return builder;
  }

  /** The same for vLLM's engine, as is fair: on every core, with the faster allocator. */
  public ProcessBuilder vllm(List<String> command) throws IOException {
    ProcessBuilder builder = process(command);
    Map<String, String> environment = builder.environment();
    environment.put("VLLM_CPU_KVCACHE_SPACE", "2");
    environment.put("VLLM_CPU_OMP_THREADS_BIND", allCores());
    List<String> preload = new ArrayList<>(allocator());
    preload.add(folder.resolve("venv/lib/libiomp5.so").toString());
    environment.put("LD_PRELOAD", String.join(":", preload));
    return builder;
  }

  private List<String> allocator() throws IOException {
    for (Path place : List.of(Path.of("/usr/lib/x86_64-linux-gnu"), Path.of("/usr/lib64"))) {
      Path library = place.resolve(TCMALLOC);
      if (Files.exists(library)) {
        return List.of(library.toString());
      }
    }
    log.accept("vLLM runs without tcmalloc, which is slower: " + TCMALLOC + " is not installed");
    return List.of();
  }

  /**
   * Installs a Python package among the peers' where it is missing: vLLM's client needs some only
   * for some of its loads.
   *
   * @throws IOException if pip cannot install it
   */
  public void install(String name) throws IOException, InterruptedException {
    if (status(List.of(python(), "-c", "import " + name)) == 0) {
      return;
    }
    log.accept("installing %s for vLLM's client, which reads prompts with it".formatted(name));
    if (status(List.of(python(), "-m", "pip", "install", "-q", name)) != 0) {
      throw new IOException(
          "%s could not be installed; install it by hand: %s -m pip install %s"
              .formatted(name, python(), name));
    }
  }

  private int status(List<String> command) throws IOException, InterruptedException {
    Process process =
        process(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    process.getOutputStream().close();
    return process.waitFor();
  }
}
