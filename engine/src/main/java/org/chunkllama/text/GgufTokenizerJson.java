package org.chunkllama.text;

import java.io.StringWriter;
import java.util.HashSet;
import java.util.Set;
import org.chunkllama.error.ModelFileException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.json.JsonMapper;

/** Writes the tokenizer.json of a byte-level BPE vocabulary that came in a GGUF file. */
final class GgufTokenizerJson {
  private static final JsonMapper MAPPER = new JsonMapper();

  private final TokenizerSpec.Gguf spec;
  private final GgufTokenTypes types;
  private final PreTokenizers pre;

  GgufTokenizerJson(TokenizerSpec.Gguf spec, GgufTokenTypes types) {
    this.spec = spec;
    this.types = types;
    this.pre = PreTokenizers.of(spec.pre());
  }

  /**
   * The whole file as text.
   *
   * @param specials how control tokens are spelled
   */
  String write(ControlSpelling specials) {
    var out = new StringWriter(spec.tokens().size() * 48);
    try (JsonGenerator json = MAPPER.createGenerator(out)) {
      json.writeStartObject();
      json.writeStringProperty("version", "1.0");
      json.writeNullProperty("truncation");
      json.writeNullProperty("padding");
      writeAddedTokens(json, specials);
      writePipeline(json);
      writeModel(json, specials);
      json.writeEndObject();
    }
    return out.toString();
  }

  private void writeAddedTokens(JsonGenerator json, ControlSpelling specials) {
    json.writeArrayPropertyStart("added_tokens");
    for (int id = 0; id < spec.tokens().size(); id++) {
      boolean control = types.isControl(id);
      if (control || types.isUserDefined(id)) {
        json.writeStartObject();
        json.writeNumberProperty("id", id);
        json.writeStringProperty("content", spelling(id, specials));
        json.writeBooleanProperty("single_word", false);
        json.writeBooleanProperty("lstrip", false);
        json.writeBooleanProperty("rstrip", false);
        json.writeBooleanProperty("normalized", false);
        json.writeBooleanProperty("special", control);
        json.writeEndObject();
      }
    }
    json.writeEndArray();
  }

  private void writePipeline(JsonGenerator json) {
    if (pre.nfc()) {
      json.writeObjectPropertyStart("normalizer");
      json.writeStringProperty("type", "NFC");
      json.writeEndObject();
    } else {
      json.writeNullProperty("normalizer");
    }
    json.writeObjectPropertyStart("pre_tokenizer");
    json.writeStringProperty("type", "Sequence");
    json.writeArrayPropertyStart("pretokenizers");
    for (String expression : pre.expressions()) {
      json.writeStartObject();
      json.writeStringProperty("type", "Split");
      json.writeObjectPropertyStart("pattern");
      json.writeStringProperty("Regex", expression);
      json.writeEndObject();
      json.writeStringProperty("behavior", "Isolated");
      json.writeBooleanProperty("invert", false);
      json.writeEndObject();
    }
    writeByteLevel(json);
    json.writeEndArray();
    json.writeEndObject();
    json.writeNullProperty("post_processor");
    json.writeName("decoder");
    writeByteLevel(json);
  }

  private static void writeByteLevel(JsonGenerator json) {
    json.writeStartObject();
    json.writeStringProperty("type", "ByteLevel");
    json.writeBooleanProperty("add_prefix_space", false);
    json.writeBooleanProperty("trim_offsets", false);
    json.writeBooleanProperty("use_regex", false);
    json.writeEndObject();
  }

  private void writeModel(JsonGenerator json, ControlSpelling specials) {
    json.writeObjectPropertyStart("model");
    json.writeStringProperty("type", "BPE");
    json.writeBooleanProperty("fuse_unk", false);
    json.writeBooleanProperty("byte_fallback", false);
    json.writeBooleanProperty("ignore_merges", pre.ignoreMerges());
    json.writeObjectPropertyStart("vocab");
    Set<String> written = HashSet.newHashSet(spec.tokens().size());
    for (int id = 0; id < spec.tokens().size(); id++) {
      String token = spelling(id, specials);
      if (written.add(token)) {
        json.writeNumberProperty(token, id);
      }
    }
    json.writeEndObject();
    json.writeArrayPropertyStart("merges");
    for (String merge : spec.merges()) {
      writeMerge(json, merge);
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private static void writeMerge(JsonGenerator json, String merge) {
    int space = merge.indexOf(' ', 1);
    if (space < 0 || space == merge.length() - 1) {
      throw new ModelFileException(
          "tokenizer.ggml.merges holds '"
              + merge
              + "', which is not two tokens with a space between; download the model again");
    }
    json.writeStartArray();
    json.writeString(merge.substring(0, space));
    json.writeString(merge.substring(space + 1));
    json.writeEndArray();
  }

  private String spelling(int id, ControlSpelling specials) {
    String token = spec.tokens().get(id);
    return types.isControl(id) ? specials.of(token) : token;
  }
}
