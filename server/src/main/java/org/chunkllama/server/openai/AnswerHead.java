package org.chunkllama.server.openai;

import org.chunkllama.server.generate.Model;
import org.chunkllama.server.http.Exchange;
import org.chunkllama.server.http.Json;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.node.ObjectNode;

/**
 * What every answer and every event of a stream begins with.
 *
 * @param id of the answer: the request's id after a prefix
 * @param created seconds since 1970
 * @param model as clients call it
 */
record AnswerHead(String id, long created, String model) {
  static AnswerHead of(String prefix, Exchange exchange, Model model) {
    return new AnswerHead(prefix + exchange.id(), System.currentTimeMillis() / 1000, model.name());
  }

  ObjectNode json(String object) {
    ObjectNode json = Json.object();
    json.put("id", id);
    json.put("object", object);
    json.put("created", created);
    json.put("model", model);
    return json;
  }

  /** The same fields of an event; the caller has begun the object and ends it. */
  void write(JsonGenerator json, String object) {
    json.writeStringProperty("id", id);
    json.writeStringProperty("object", object);
    json.writeNumberProperty("created", created);
    json.writeStringProperty("model", model);
  }
}
