package org.chunkllama.text;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The vocabulary of a tokenizer.json as a GGUF file would have it. */
final class JsonVocabulary {
  private JsonVocabulary() {}

  static TokenizerSpec.Gguf read(Path tokenizerJson, String pre) throws IOException {
    JsonNode json = new JsonMapper().readTree(Files.readString(tokenizerJson));
    JsonNode vocabulary = json.path("model").path("vocab");
    JsonNode added = json.path("added_tokens");
    int size = vocabulary.size() + added.size();
    List<String> tokens = new ArrayList<>(Collections.nCopies(size, ""));
    int[] types = new int[size];
    Arrays.fill(types, 1);
    vocabulary.properties().forEach(entry -> tokens.set(entry.getValue().asInt(), entry.getKey()));
    for (JsonNode token : added) {
      int id = token.path("id").asInt();
      tokens.set(id, token.path("content").asString());
      types[id] = token.path("special").asBoolean() ? 3 : 4;
    }
    var merges = new ArrayList<String>();
    for (JsonNode merge : json.path("model").path("merges")) {
      merges.add(
          merge.isArray()
              ? merge.get(0).asString() + " " + merge.get(1).asString()
              : merge.asString());
    }
    return new TokenizerSpec.Gguf(
        "gpt2", pre, tokens, new float[0], types, merges, -1, List.of(), -1, false, false, false);
  }
}
