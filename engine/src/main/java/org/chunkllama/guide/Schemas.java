package org.chunkllama.guide;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import org.chunkllama.error.InvalidRequestException;
import tools.jackson.core.JsonPointer;
import tools.jackson.databind.JsonNode;

/** A schema and what its references point at. */
final class Schemas {
  private final JsonNode root;

  Schemas(JsonNode root) {
    this.root = root;
  }

  JsonNode root() {
    return root;
  }

  /**
   * The schema that {@code reference} points at.
   *
   * @throws InvalidRequestException if there is none in this schema
   */
  JsonNode find(String reference) {
    if (reference.startsWith("#")) {
      String pointer = URLDecoder.decode(reference.substring(1), StandardCharsets.UTF_8);
      if (pointer.isEmpty() || pointer.startsWith("/")) {
        JsonNode found = root.at(JsonPointer.compile(pointer));
        if (!found.isMissingNode()) {
          return found;
        }
      }
    }
    throw new InvalidRequestException(
        "JSON schema: '$ref' to '%s' points at nothing; use '#/$defs/name'".formatted(reference));
  }

  /** What a chain of references ends at. */
  JsonNode resolve(JsonNode schema) {
    JsonNode at = schema;
    for (int i = 0; at.has("$ref") && i < 100; i++) {
      at = find(at.get("$ref").asString(""));
    }
    return at;
  }
}
