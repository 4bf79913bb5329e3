package org.chunkllama.text;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/** Files that are not in the repository; a test that needs one is skipped where it is absent. */
final class TextAssets {
  private TextAssets() {}

  /** A file of the shared assets, such as {@code tokenizers/golden/qwen2.inp}. */
  static Path shared(String name) {
    return sharedFolder()
        .map(folder -> folder.resolve("assets").resolve(name))
        .filter(Files::exists)
        .orElseGet(() ->
            Assumptions.abort(
                "skipped: no shared folder with assets/" + name + " (set CHUNKLLAMA_SHARED)"));
  }

  /** The default model's GGUF file in the cache folder. */
  static Path smolLm2() {
    String home = System.getenv("CHUNKLLAMA_HOME");
    Path cache =
        home != null
            ? Path.of(home)
            : Path.of(System.getProperty("user.home"), ".cache", "chunkllama");
    String name = "SmolLM2-135M-Instruct.Q4_1.gguf";
    return find(cache, name)
        .orElseGet(() ->
            Assumptions.abort(
                "skipped: no " + name + " in " + cache + "; run './chunkllama pull'"));
  }

  /** The 47 texts of the shared tokenizer goldens. */
  static List<String> texts(String name) {
    String all = read(shared("tokenizers/golden/" + name + ".inp"));
    return List.of(all.split("\n__ggml_vocab_test__\n", -1));
  }

  /** The ids of those texts. */
  static List<int[]> ids(String name) {
    var ids = new ArrayList<int[]>();
    for (String line : read(shared("tokenizers/golden/" + name + ".out")).split("\n", -1)) {
      ids.add(line.isBlank() ? new int[0] : ints(line.strip().split(" +")));
    }
    return ids;
  }

  static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int[] ints(String[] words) {
    int[] ints = new int[words.length];
    for (int i = 0; i < words.length; i++) {
      ints[i] = Integer.parseInt(words[i]);
    }
    return ints;
  }

  private static Optional<Path> sharedFolder() {
    String named = System.getenv("CHUNKLLAMA_SHARED");
    if (named != null) {
      return Optional.of(Path.of(named));
    }
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      if (Files.isDirectory(at.resolve("shared/assets"))) {
        return Optional.of(at.resolve("shared"));
      }
    }
    return Optional.empty();
  }

  private static Optional<Path> find(Path folder, String name) {
    if (!Files.isDirectory(folder)) {
      return Optional.empty();
    }
    try (var files = Files.walk(folder, 6)) {
      return files.filter(file -> file.endsWith(name)).findFirst();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
