package org.chunkllama.parity;

import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Objects;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** Reads what tools/goldens wrote. */
final class Goldens {
  private Goldens() {}

  static JsonNode json(String resource) {
    try (InputStream in =
        Objects.requireNonNull(Goldens.class.getResourceAsStream(resource), resource)) {
      return new ObjectMapper().readTree(in);
    } catch (IOException e) {
      throw new AssertionError(resource, e);
    }
  }

  static Path path(String resource) {
    try {
      return Path.of(Objects.requireNonNull(Goldens.class.getResource(resource), resource).toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(resource, e);
    }
  }

  static int[] ints(JsonNode array) {
    return array.valueStream().mapToInt(JsonNode::asInt).toArray();
  }

  static float[] floats(JsonNode array) {
    float[] values = new float[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) array.get(i).asDouble();
    }
    return values;
  }

  /** Backend under test: the system property {@code chunkllama.test.backend}, else the oracle. */
  static String backend() {
    return System.getProperty("chunkllama.test.backend", "reference");
  }
}
