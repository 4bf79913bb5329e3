package org.chunkllama.text;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.chunkllama.SharedAssets;

/** Files that are not in the repository; a test that needs one is skipped where it is absent. */
final class TextAssets {
  private TextAssets() {}

  /** The 47 texts of the shared tokenizer goldens. */
  static List<String> texts(String name) {
    String all = read(SharedAssets.require("tokenizers/golden/" + name + ".inp"));
    return List.of(all.split("\n__ggml_vocab_test__\n", -1));
  }

  /** The ids of those texts. */
  static List<int[]> ids(String name) {
    var ids = new ArrayList<int[]>();
    for (String line :
        read(SharedAssets.require("tokenizers/golden/" + name + ".out")).split("\n", -1)) {
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
}
