package org.chunkllama.bench.server;

import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.chunkllama.error.InvalidRequestException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Chameleon's policy prompt with questions of TabMWP, as its authors put them together. */
final class Questions {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private Questions() {}

  /**
   * Writes prompts, one a line, to a file of its own.
   *
   * @param folder with chameleon/tabmwp-policy.txt and tabmwp/problems_test1k.json
   */
  static Path write(Path folder, int count) throws IOException {
    Path policy = require(folder.resolve("chameleon/tabmwp-policy.txt"));
    JsonNode problems =
        JSON.readTree(Files.readString(require(folder.resolve("tabmwp/problems_test1k.json"))));
    String system = Files.readString(policy).strip();
    Path file = Files.createTempFile("chunkllama-questions", ".jsonl");
    int written = 0;
    try (Writer writer = Files.newBufferedWriter(file)) {
      for (JsonNode problem : problems) {
        if (written++ == count) {
          break;
        }
        String prompt =
            "%s\n\nQuestion: %s\n\nTable:\n%s\n\nModules:"
                .formatted(
                    system,
                    problem.get("question").stringValue(),
                    problem.get("table").stringValue());
        writer.write(JSON.writeValueAsString(Map.of("prompt", prompt)));
        writer.write('\n');
      }
    }
    return file;
  }

  private static Path require(Path file) {
    if (!Files.exists(file)) {
      throw new InvalidRequestException(
          "--prompts must be the folder of the prompts: " + file + " does not exist");
    }
    return file;
  }
}
