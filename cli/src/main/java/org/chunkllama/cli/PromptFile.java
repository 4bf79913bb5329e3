package org.chunkllama.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.text.Message;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A file of prompts, one JSON object a line with {@code prompt} (text), {@code messages} (a chat)
 * or {@code token_ids}. Blank lines are skipped, other members ignored.
 */
final class PromptFile {
  /** {@code --prompts -} reads standard input. */
  static final String STANDARD_INPUT = "-";

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  private final String name;
  private final List<PromptLine> lines = new ArrayList<>();
  private int number;

  private PromptFile(String name) {
    this.name = name;
  }

  /**
   * Reads all lines.
   *
   * @throws InvalidRequestException naming the line that is malformed, or if there is none
   * @throws IOException if the file cannot be read
   */
  static List<PromptLine> read(String file, Console console) throws IOException {
    if (file.equals(STANDARD_INPUT)) {
      return read("standard input", console.in());
    }
    try (InputStream in = Files.newInputStream(Path.of(file))) {
      return read(file, in);
    }
  }

  private static List<PromptLine> read(String name, InputStream in) throws IOException {
    PromptFile file = new PromptFile(name);
    // A decoder that reports, instead of replacing, what is not UTF-8.
    BufferedReader reader =
        new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()));
    try {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        file.number++;
        if (!line.isBlank()) {
          file.lines.add(file.parse(line));
        }
      }
    } catch (CharacterCodingException e) {
      throw new InvalidRequestException(name + " is not UTF-8 text; convert it", e);
    }
    if (file.lines.isEmpty()) {
      throw new InvalidRequestException(name + " holds no prompt; write one JSON object a line");
    }
    return file.lines;
  }

  private PromptLine parse(String line) {
    JsonNode node;
    try {
      node = JSON.readTree(line);
    } catch (JacksonException e) {
      throw malformed("not valid JSON: " + e.getOriginalMessage());
    }
    if (!node.isObject()) {
      throw malformed("a JSON object is needed, not " + describe(node));
    }
    JsonNode prompt = node.get("prompt");
    JsonNode messages = node.get("messages");
    JsonNode ids = node.get("token_ids");
    int given = count(prompt) + count(messages) + count(ids);
    if (given != 1) {
      throw malformed("give one of prompt, messages and token_ids, not " + given + " of them");
    }
    if (prompt != null) {
      return new PromptLine(number, new PromptLine.Text(text(prompt, "prompt")));
    }
    return new PromptLine(
        number,
        messages != null ? new PromptLine.Chat(chat(messages)) : new PromptLine.Ids(ids(ids)));
  }

  private static int count(@Nullable JsonNode node) {
    return node == null ? 0 : 1;
  }

  private List<Message> chat(JsonNode node) {
    if (!node.isArray() || node.isEmpty()) {
      throw malformed("messages must be a list of at least one message");
    }
    List<Message> messages = new ArrayList<>();
    for (JsonNode message : node) {
      messages.add(message(message));
    }
    return messages;
  }

  private Message message(JsonNode node) {
    if (!node.isObject()) {
      throw malformed("a message must be an object with role and content");
    }
    if (!node.hasNonNull("content") && !node.hasNonNull("tool_calls")) {
      throw malformed("a message has no content");
    }
    try {
      return Message.of(JSON.convertValue(node, new TypeReference<Map<String, Object>>() {}));
    } catch (InvalidRequestException e) {
      throw malformed(String.valueOf(e.getMessage()));
    }
  }

  private int[] ids(@Nullable JsonNode node) {
    if (node == null || !node.isArray() || node.isEmpty()) {
      throw malformed("token_ids must be a list of at least one id");
    }
    int[] ids = new int[node.size()];
    for (int i = 0; i < ids.length; i++) {
      JsonNode id = node.get(i);
      if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < 0) {
        throw malformed("token_ids must hold whole numbers from 0 on, not " + id);
      }
      ids[i] = id.intValue();
    }
    return ids;
  }

  private String text(JsonNode node, String member) {
    if (!node.isString()) {
      throw malformed(member + " must be a string, not " + describe(node));
    }
    return node.stringValue();
  }

  private static String describe(JsonNode node) {
    return switch (node.getNodeType()) {
      case ARRAY -> "a list";
      case BOOLEAN -> "true or false";
      case NULL -> "null";
      case NUMBER -> "a number";
      case OBJECT -> "an object";
      case STRING -> "a string";
      default -> "nothing";
    };
  }

  private InvalidRequestException malformed(String what) {
    return new InvalidRequestException(name + ":" + number + ": " + what);
  }
}
