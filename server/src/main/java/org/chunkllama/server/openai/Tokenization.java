package org.chunkllama.server.openai;

import java.util.List;
import org.chunkllama.Prompt;
import org.chunkllama.server.generate.Model;
import org.chunkllama.server.http.Exchange;
import org.chunkllama.server.http.Json;
import org.chunkllama.server.http.JsonFields;
import org.chunkllama.text.Tokenizer;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code POST /tokenize}, {@code /detokenize} and the two {@code render} endpoints, as vLLM has
 * them.
 */
public final class Tokenization {
  private final Model model;
  private final Tokenizer tokenizer;

  public Tokenization(Model model) {
    this.model = model;
    this.tokenizer = model.llm().tokenizer();
  }

  /** Ids of a text or of a chat. */
  public void tokenize(Exchange exchange) {
    JsonFields fields = exchange.json();
    model.check(fields);
    int[] ids =
        fields.has("messages")
            ? model.llm().encode(ChatMessages.prompt(fields))
            : tokenizer.encode(
                fields.requiredString("prompt"), fields.flag("add_special_tokens", true), true);
    ObjectNode json = Json.object();
    json.put("count", ids.length);
    json.put("max_model_len", model.llm().context());
    put(json, "tokens", ids);
    if (fields.flag("return_token_strs", false)) {
      ArrayNode texts = json.putArray("token_strs");
      for (int id : ids) {
        texts.add(tokenizer.token(id));
      }
    } else {
      json.putNull("token_strs");
    }
    exchange.send(json);
  }

  /** Text of ids. */
  public void detokenize(Exchange exchange) {
    JsonFields fields = exchange.json();
    model.check(fields);
    if (!fields.has("tokens")) {
      throw fields.wrong("tokens", "is missing; it must be an array of token ids");
    }
    int[] ids = fields.ids("tokens").stream().mapToInt(Integer::intValue).toArray();
    exchange.send(Json.object().put("prompt", tokenizer.decode(ids)));
  }

  /** A chat as the model would see it. */
  public void renderChat(Exchange exchange) {
    JsonFields fields = exchange.json();
    ChatRequest chat = ChatRequest.parse(fields, model);
    ObjectNode json = Json.object();
    json.put("prompt", model.llm().render(chat.prompt()));
    put(json, "prompt_token_ids", model.llm().encode(chat.prompt()));
    exchange.send(json);
  }

  /** Prompts of a completion as the model would see them. */
  public void renderCompletion(Exchange exchange) {
    JsonFields fields = exchange.json();
    List<Prompt> prompts = CompletionRequest.parse(fields, model).prompts();
    ArrayNode all = Json.array();
    for (Prompt prompt : prompts) {
      int[] ids = model.llm().encode(prompt);
      ObjectNode json = all.addObject();
      json.put("prompt", prompt instanceof Prompt.Raw raw ? raw.text() : tokenizer.decode(ids));
      put(json, "prompt_token_ids", ids);
    }
    exchange.send(all);
  }

  private static void put(ObjectNode json, String field, int[] ids) {
    ArrayNode array = json.putArray(field);
    for (int id : ids) {
      array.add(id);
    }
  }
}
