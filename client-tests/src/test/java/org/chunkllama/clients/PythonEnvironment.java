package org.chunkllama.clients;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/** A Python with one package, in the user's cache: made on first use, then kept. */
final class PythonEnvironment {
  /** What a process said, both streams, and how it ended. */
  record Result(int status, String output) {}

  private PythonEnvironment() {}

  /**
   * Its interpreter. Where Python, pip or the package cannot be had, the calling test is skipped,
   * with a message; with the environment variable CI set it fails.
   *
   * @param requirement name==version
   */
  static Path require(String requirement) throws IOException, InterruptedException {
    Path folder = cache().resolve("python-" + requirement.replace("==", "-"));
    Path python = folder.resolve("bin/python");
    Path ready = folder.resolve("ready");
    if (Files.exists(ready)) {
      return python;
    }
    Files.createDirectories(folder);
    List<String> pip = List.of("-m", "pip", "install", "-q", "--disable-pip-version-check");
    List<String> install = new ArrayList<>(List.of(python.toString()));
    install.addAll(pip);
    install.add(requirement);
    for (List<String> command :
        List.of(List.of("python3", "-m", "venv", folder.toString()), install)) {
      Optional<String> problem = problem(command);
      if (problem.isPresent()) {
        return give(requirement, problem.get());
      }
    }
    Files.writeString(ready, requirement + "\n");
    return python;
  }

  private static Optional<String> problem(List<String> command) throws InterruptedException {
    try {
      Result result = run(command.toArray(new String[0]));
      return result.status() == 0
          ? Optional.empty()
          : Optional.of(String.join(" ", command) + ": " + result.output());
    } catch (IOException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  private static Path give(String requirement, String problem) {
    String message =
        "OpenAI's client for Python was not tested: python3 with venv and pip must be there and"
            + " able to install "
            + requirement
            + ": "
            + problem;
    if (System.getenv("CI") != null) {
      throw new AssertionError(message);
    }
    return Assumptions.abort("skipped: " + message);
  }

  private static Path cache() {
    String home = System.getenv("CHUNKLLAMA_HOME");
    if (home != null) {
      return Path.of(home);
    }
    String cache = System.getenv("XDG_CACHE_HOME");
    Path base = cache != null ? Path.of(cache) : Path.of(System.getProperty("user.home"), ".cache");
    return base.resolve("chunkllama");
  }

  static Result run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      process.getOutputStream().close();
      byte[] output = process.getInputStream().readAllBytes();
      return new Result(process.waitFor(), new String(output, StandardCharsets.UTF_8));
    } finally {
      process.destroyForcibly();
    }
  }
}
