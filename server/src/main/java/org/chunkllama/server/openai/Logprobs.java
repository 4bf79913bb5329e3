package org.chunkllama.server.openai;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.chunkllama.sample.TokenLogprobs;
import org.chunkllama.server.http.Json;
import org.chunkllama.text.Tokenizer;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Log probabilities as the two APIs write them. */
final class Logprobs {
  /** JSON has no infinity; OpenAI writes this for what cannot happen. */
  private static final float LEAST = -9999f;

  private final Tokenizer tokenizer;

  Logprobs(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** Of chats: {@code content}, an entry for each token. */
  ObjectNode chat(List<TokenLogprobs> tokens) {
    ObjectNode json = Json.object();
    ArrayNode content = json.putArray("content");
    for (TokenLogprobs token : tokens) {
      ObjectNode entry = content.addObject();
      put(entry, token.token(), token.logprob());
      ArrayNode top = entry.putArray("top_logprobs");
      token.top().forEach(c -> put(top.addObject(), c.token(), c.logprob()));
    }
    json.putNull("refusal");
    return json;
  }

  private void put(ObjectNode entry, int token, float logprob) {
    entry.put("token", text(token));
    entry.put("logprob", finite(logprob));
    ArrayNode bytes = entry.putArray("bytes");
    for (byte b : tokenizer.bytes(token)) {
      bytes.add(b & 0xff);
    }
  }

  /**
   * Of completions: columns.
   *
   * @param offsets of the answer whose next tokens these are
   */
  ObjectNode completion(List<TokenLogprobs> tokens, TextOffsets offsets) {
    ObjectNode json = Json.object();
    ArrayNode texts = json.putArray("tokens");
    ArrayNode logprobs = json.putArray("token_logprobs");
    ArrayNode tops = json.putArray("top_logprobs");
    ArrayNode begins = json.putArray("text_offset");
    for (TokenLogprobs token : tokens) {
      texts.add(text(token.token()));
      logprobs.add(finite(token.logprob()));
      ObjectNode top = tops.addObject();
      token.top().forEach(c -> top.put(text(c.token()), finite(c.logprob())));
      begins.add(offsets.next(token.token()));
    }
    return json;
  }

  /** The token as text; a part of a character becomes U+FFFD, which is why chats have bytes too. */
  private String text(int token) {
    byte[] bytes = tokenizer.bytes(token);
    if (bytes.length > 0) {
      return new String(bytes, StandardCharsets.UTF_8);
    }
    return token < tokenizer.vocabularySize() ? tokenizer.token(token) : "";
  }

  private static float finite(float logprob) {
    return Math.max(LEAST, logprob);
  }
}
