package org.chunkllama.cli;

import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.chunkllama.error.InvalidRequestException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** Options in a file: properties, or YAML with one level of keys. */
final class ConfigFile {
  private ConfigFile() {}

  /**
   * Option names, without the dashes in front, to values.
   *
   * @throws InvalidRequestException if the file cannot be understood
   */
  static Map<String, String> read(Path file) {
    String name = String.valueOf(file.getFileName());
    try {
      return name.endsWith(".yaml") || name.endsWith(".yml") ? yaml(file) : properties(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Map<String, String> properties(Path file) throws IOException {
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      properties.load(reader);
    } catch (IllegalArgumentException e) {
      throw new InvalidRequestException(file + " is no properties file: " + e.getMessage());
    }
    Map<String, String> values = new HashMap<>();
    properties.stringPropertyNames().forEach(k -> values.put(k, properties.getProperty(k)));
    return values;
  }

  private static Map<String, String> yaml(Path file) throws IOException {
    JsonNode root;
    try {
      root =
          YAMLMapper.builder()
              .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
              .build()
              .readTree(Files.readString(file));
    } catch (JacksonException e) {
      throw new InvalidRequestException(
          "%s is no YAML, or has a key twice (line %d)"
              .formatted(file, e.getLocation() == null ? 1 : e.getLocation().getLineNr()));
    }
    Map<String, String> values = new HashMap<>();
    for (Map.Entry<String, JsonNode> entry : root.properties()) {
      if (!entry.getValue().isValueNode()) {
        throw new InvalidRequestException(
            "%s: %s must be a single value".formatted(file, entry.getKey()));
      }
      values.put(entry.getKey(), entry.getValue().asString());
    }
    return values;
  }
}
