package org.chunkllama.files;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.chunkllama.error.ModelFileException;
import org.chunkllama.error.UnsupportedModelException;
import org.chunkllama.text.TokenizerSpec;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/** Tokenizer and chat templates of a Hugging Face folder. */
final class HfTokenizer {
  private static final String TOKENIZER = "tokenizer.json";
  private static final String SETTINGS = "tokenizer_config.json";
  private static final String TEMPLATE_SUFFIX = ".jinja";
  private static final long MAX_TEMPLATE_BYTES = 1 << 20;

  private final Path folder;
  private final Fields config;
  private final Fields settings;
  private final Fields generation;
  private final int vocabulary;

  /**
   * @param config config.json
   * @param vocabulary rows of the embedding
   */
  HfTokenizer(Path folder, Fields config, int vocabulary) {
    this.folder = folder;
    this.config = config;
    this.vocabulary = vocabulary;
    this.settings = optional(folder.resolve(SETTINGS));
    this.generation = optional(folder.resolve("generation_config.json"));
  }

  private static Fields optional(Path file) {
    return Files.exists(file) ? Json.read(file) : new Fields(file.toString(), Map.of());
  }

  /** Whether the folder has a tokenizer. */
  boolean exists() {
    return Files.exists(folder.resolve(TOKENIZER));
  }

  /** The tokenizer, its begin and end tokens as ids. */
  TokenizerSpec.HuggingFace spec() {
    Path tokenizer = folder.resolve(TOKENIZER);
    if (!Files.exists(tokenizer)) {
      boolean sentencePiece = Files.exists(folder.resolve("tokenizer.model"));
      throw new ModelFileException(
          folder
              + " has no "
              + TOKENIZER
              + (sentencePiece ? " (only tokenizer.model)" : "")
              + "; save the tokenizer with transformers' save_pretrained, or use a GGUF file");
    }
    Map<String, Integer> added = addedTokens(tokenizer);
    Boolean addBos =
        settings.has("add_bos_token") ? (Boolean) settings.flag("add_bos_token", false) : null;
    return new TokenizerSpec.HuggingFace(tokenizer, addBos, bos(added), ends(added));
  }

  private int bos(Map<String, Integer> added) {
    if (settings.isNull("bos_token")) {
      return -1;
    }
    Integer id = named("bos_token", added);
    List<Integer> stated = id == null ? ids(config, "bos_token_id") : List.of(id);
    return stated.isEmpty() ? -1 : stated.getFirst();
  }

  private List<Integer> ends(Map<String, Integer> added) {
    LinkedHashSet<Integer> ends = new LinkedHashSet<>();
    Integer named = named("eos_token", added);
    if (named != null) {
      ends.add(named);
    }
    ends.addAll(ids(generation, "eos_token_id"));
    ends.addAll(ids(config, "eos_token_id"));
    return new ArrayList<>(ends);
  }

  /** Id of the token that tokenizer_config.json spells out, or null. */
  private @Nullable Integer named(String key, Map<String, Integer> added) {
    Object value = settings.raw(key);
    if (value instanceof Map<?, ?> token) { // {"content": "<s>", ...}
      value = token.get("content");
    }
    return value instanceof String text ? added.get(text) : null;
  }

  private List<Integer> ids(Fields fields, String key) {
    List<Object> stated = new ArrayList<>();
    switch (fields.raw(key)) {
      case null -> {}
      case List<?> list -> stated.addAll(list);
      case Object one -> stated.add(one);
    }
    List<Integer> ids = new ArrayList<>();
    for (Object id : stated) {
      if (!(id instanceof Long number)) {
        throw fields.wrong(key, "a token id or a list of them");
      }
      if (number < 0 || number >= vocabulary) {
        throw new ModelFileException(
            fields.file()
                + ": "
                + key
                + " "
                + number
                + " is not in the vocabulary of "
                + vocabulary
                + "; fetch the model folder again");
      }
      ids.add(Math.toIntExact(number));
    }
    return ids;
  }

  /** tokenizer.json's added tokens by spelling; the vocabulary itself is not read. */
  private static Map<String, Integer> addedTokens(Path file) {
    Map<String, Integer> added = new LinkedHashMap<>();
    JsonFactory factory = new JsonFactory();
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file));
        JsonParser parser = factory.createParser(ObjectReadContext.empty(), in)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw Untrusted.damaged(file.toString(), "it is not a JSON object");
      }
      while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
        boolean wanted = parser.currentName().equals("added_tokens");
        if (parser.nextToken() == JsonToken.START_ARRAY && wanted) {
          while (parser.nextToken() == JsonToken.START_OBJECT) {
            addedToken(parser, added);
          }
          return added;
        }
        parser.skipChildren();
      }
      return added;
    } catch (JacksonException e) {
      throw new ModelFileException(
          file + ": broken JSON (" + Json.firstLine(e) + "); fetch the file again", e);
    } catch (IOException e) {
      throw new ModelFileException(
          file + " cannot be read (" + e.getMessage() + "); check its permissions", e);
    }
  }

  private static void addedToken(JsonParser parser, Map<String, Integer> added) {
    int id = -1;
    String content = null;
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      if (name.equals("id") && value == JsonToken.VALUE_NUMBER_INT) {
        id = parser.getIntValue();
      } else if (name.equals("content") && value == JsonToken.VALUE_STRING) {
        content = parser.getString();
      }
      parser.skipChildren();
    }
    if (content != null && id >= 0) {
      added.put(content, id);
    }
  }

  /** Chat templates by name; files win over tokenizer_config.json, as in transformers. */
  Map<String, String> chatTemplates() {
    Map<String, String> templates = new LinkedHashMap<>();
    Object stated = settings.raw("chat_template");
    if (stated instanceof String text) {
      templates.put(ModelFile.DEFAULT_TEMPLATE, text);
    } else if (stated != null) {
      addNamed(settings.list("chat_template"), templates);
    }
    Path single = folder.resolve("chat_template" + TEMPLATE_SUFFIX);
    if (Files.exists(single)) {
      templates.put(ModelFile.DEFAULT_TEMPLATE, template(single));
    }
    addFolder(folder.resolve("additional_chat_templates"), templates);
    return templates;
  }

  private void addNamed(List<?> list, Map<String, String> templates) {
    for (Object element : list) {
      if (!(element instanceof Map<?, ?> named)
          || !(named.get("name") instanceof String name)
          || !(named.get("template") instanceof String text)) {
        throw settings.wrong("chat_template", "a text or a list of names and templates");
      }
      templates.put(name, text);
    }
  }

  private static void addFolder(Path folder, Map<String, String> templates) {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*" + TEMPLATE_SUFFIX)) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        templates.put(name.substring(0, name.length() - TEMPLATE_SUFFIX.length()), template(file));
      }
    } catch (IOException e) {
      throw new ModelFileException(
          folder + " cannot be read (" + e.getMessage() + "); check its permissions", e);
    }
  }

  private static String template(Path file) {
    try {
      if (Files.size(file) > MAX_TEMPLATE_BYTES) {
        throw new UnsupportedModelException(file + " is too large for a chat template");
      }
      return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new ModelFileException(
          file + " cannot be read (" + e.getMessage() + "); check its permissions", e);
    }
  }
}
