package org.chunkllama.server.openai;

import org.chunkllama.server.http.JsonFields;

/**
 * Whether and how an answer is streamed.
 *
 * @param on as events, token by token
 * @param usage with a last event that counts tokens
 */
public record StreamFields(boolean on, boolean usage) {
  static StreamFields parse(JsonFields fields) {
    boolean on = fields.flag("stream", false);
    boolean usage =
        fields.fields("stream_options").map(o -> o.flag("include_usage", false)).orElse(false);
    if (!on && fields.has("stream_options")) {
      throw fields.wrong("stream_options", "is allowed only when 'stream' is true");
    }
    return new StreamFields(on, usage);
  }
}
