package org.chunkllama.server.openai;

import org.chunkllama.server.generate.Model;
import org.chunkllama.server.http.Exchange;
import org.chunkllama.server.http.Json;
import tools.jackson.databind.node.ObjectNode;

/** {@code GET /v1/models} and {@code GET /v1/models/{model}}. */
public final class Models {
  private final Model model;

  public Models(Model model) {
    this.model = model;
  }

  /** All models: the one. */
  public void list(Exchange exchange) {
    ObjectNode json = Json.object();
    json.put("object", "list");
    json.putArray("data").add(json());
    exchange.send(json);
  }

  /** One model. */
  public void get(Exchange exchange) {
    model.check(exchange.path("model"));
    exchange.send(json());
  }

  private ObjectNode json() {
    ObjectNode json = Json.object();
    json.put("id", model.name());
    json.put("object", "model");
    json.put("created", model.created());
    json.put("owned_by", "chunkllama");
    json.put("root", model.llm().name());
    json.put("max_model_len", model.llm().context());
    return json;
  }
}
