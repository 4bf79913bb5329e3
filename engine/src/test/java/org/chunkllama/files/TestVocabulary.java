package org.chunkllama.files;

import java.util.ArrayList;
import java.util.List;

/**
 * A byte-level BPE vocabulary of any size: three control tokens, 256 bytes, a few merges, and
 * tokens that no text yields.
 */
final class TestVocabulary {
  static final int END_OF_TEXT = 0;
  static final int IM_START = 1;
  static final int IM_END = 2;
  static final List<String> CONTROL = List.of("<|endoftext|>", "<|im_start|>", "<|im_end|>");

  /** ChatML, as SmolLM2 writes it but without its default system prompt. */
  static final String CHAT_TEMPLATE =
      "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n'"
          + " + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
          + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

  private static final String[][] MERGES = {
    {"Ġ", "t"}, {"h", "e"}, {"i", "n"}, {"Ġt", "he"}, {"Ġ", "a"}, {"r", "e"}, {"o", "n"}, {"e", "r"}
  };

  final List<String> tokens = new ArrayList<>(CONTROL);
  final List<String> merges = new ArrayList<>();

  /**
   * @param size tokens; at least 267
   */
  TestVocabulary(int size) {
    for (int value = 0; value < 256; value++) {
      tokens.add(Character.toString(spelling(value)));
    }
    for (String[] pair : MERGES) {
      merges.add(pair[0] + " " + pair[1]);
      tokens.add(pair[0] + pair[1]);
    }
    if (size < tokens.size()) {
      throw new IllegalArgumentException("a test vocabulary needs " + tokens.size() + " tokens");
    }
    while (tokens.size() < size) {
      tokens.add("<|unused_" + tokens.size() + "|>");
    }
  }

  /** GPT-2's printable stand-in for a byte. */
  private static int spelling(int value) {
    boolean printable =
        (value >= '!' && value <= '~') || (value >= 0xa1 && value <= 0xac) || value >= 0xae;
    if (printable) {
      return value;
    }
    if (value <= ' ') {
      return 256 + value;
    }
    return value == 0xad ? 256 + 67 : 256 + 33 + (value - 0x7f);
  }

  /** Token types as GGUF counts them. */
  int[] types() {
    int[] types = new int[tokens.size()];
    for (int i = 0; i < types.length; i++) {
      types[i] = i < CONTROL.size() ? 3 : tokens.get(i).startsWith("<|unused_") ? 5 : 1;
    }
    return types;
  }

  /** The same vocabulary as tokenizer.json. */
  String tokenizerJson() {
    StringBuilder json = new StringBuilder();
    json.append("{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[");
    for (int i = 0; i < CONTROL.size(); i++) {
      json.append(i == 0 ? "" : ",")
          .append("{\"id\":")
          .append(i)
          .append(",\"content\":")
          .append(quote(CONTROL.get(i)))
          .append(",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,")
          .append("\"normalized\":false,\"special\":true}");
    }
    json.append("],\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"ByteLevel\",")
        .append("\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":true},")
        .append("\"post_processor\":null,\"decoder\":{\"type\":\"ByteLevel\",")
        .append("\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true},")
        .append("\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,")
        .append("\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,")
        .append("\"fuse_unk\":false,\"byte_fallback\":false,\"vocab\":{");
    for (int i = 0; i < tokens.size(); i++) {
      json.append(i == 0 ? "" : ",").append(quote(tokens.get(i))).append(':').append(i);
    }
    json.append("},\"merges\":[");
    for (int i = 0; i < merges.size(); i++) {
      json.append(i == 0 ? "" : ",").append(quote(merges.get(i)));
    }
    return json.append("]}}").toString();
  }

  static String quote(String text) {
    return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + "\"";
  }
}
