package org.chunkllama.text;

import org.chunkllama.error.UnsupportedModelException;
import tools.jackson.databind.JsonNode;

/**
 * How a tokenizer.json turns tokens into bytes.
 *
 * @param byteLevel tokens are in the {@linkplain ByteLevel byte-level alphabet}; else they are
 *     spelled as SentencePiece does
 * @param stripsSpace one space at the start of a text is taken away
 */
record TokenizerJsonDecoder(boolean byteLevel, boolean stripsSpace) {
  /** For a file without a decoder: tokens as SentencePiece spells them. */
  static final TokenizerJsonDecoder NONE = new TokenizerJsonDecoder(false, false);

  /**
   * Reads the file's {@code decoder}.
   *
   * @throws UnsupportedModelException for a kind that the Llama family does not use
   */
  static TokenizerJsonDecoder of(JsonNode decoder) {
    String type = decoder.path("type").asString("");
    return switch (type) {
      case "" -> NONE;
      case "Sequence" -> sequence(decoder.path("decoders"));
      case "ByteLevel" -> new TokenizerJsonDecoder(true, false);
      case "Metaspace" -> metaspace(decoder);
      case "Replace" -> replace(decoder);
      case "ByteFallback", "Fuse" -> NONE;
      case "Strip" -> strip(decoder);
      default ->
          throw new UnsupportedModelException(
              "tokenizer.json has a decoder of type "
                  + type
                  + ", which is not supported; the Llama family uses ByteLevel or SentencePiece's");
    };
  }

  private static TokenizerJsonDecoder sequence(JsonNode decoders) {
    boolean byteLevel = false;
    boolean stripsSpace = false;
    for (JsonNode each : decoders) {
      TokenizerJsonDecoder one = of(each);
      byteLevel |= one.byteLevel;
      stripsSpace |= one.stripsSpace;
    }
    return new TokenizerJsonDecoder(byteLevel, stripsSpace);
  }

  /** Older files say add_prefix_space, newer ones prepend_scheme. */
  private static TokenizerJsonDecoder metaspace(JsonNode decoder) {
    boolean prefix =
        decoder.has("prepend_scheme")
            ? !decoder.path("prepend_scheme").asString("").equals("never")
            : decoder.path("add_prefix_space").asBoolean(true);
    return new TokenizerJsonDecoder(false, prefix);
  }

  private static TokenizerJsonDecoder replace(JsonNode decoder) {
    String pattern = decoder.path("pattern").path("String").asString("");
    String content = decoder.path("content").asString("");
    if (!pattern.equals(String.valueOf(PieceBytes.SPACE)) || !content.equals(" ")) {
      throw new UnsupportedModelException(
          "tokenizer.json has a decoder that replaces '"
              + pattern
              + "' by '"
              + content
              + "', which is not supported; the Llama family only replaces the space mark");
    }
    return NONE;
  }

  private static TokenizerJsonDecoder strip(JsonNode decoder) {
    boolean space =
        decoder.path("content").asString("").equals(" ") && decoder.path("start").asInt(0) > 0;
    return new TokenizerJsonDecoder(false, space);
  }

  /** Bytes of a token of the model's own vocabulary. */
  byte[] bytes(String token) {
    return byteLevel ? ByteLevel.bytes(token) : PieceBytes.bytes(token);
  }
}
