package org.chunkllama.server.responses;

import java.util.List;
import org.chunkllama.GenerationRequest;
import org.chunkllama.GenerationResult;
import org.chunkllama.sample.FinishReason;
import org.chunkllama.server.generate.Batch;
import org.chunkllama.server.generate.Generations;
import org.chunkllama.server.generate.Model;
import org.chunkllama.server.http.Endpoint;
import org.chunkllama.server.http.Exchange;
import org.chunkllama.server.http.Json;
import org.chunkllama.server.http.JsonFields;
import org.chunkllama.server.openai.ChatRequest;
import org.chunkllama.server.openai.ParsedAnswer;
import org.chunkllama.server.openai.Requests;
import org.chunkllama.server.openai.Retention;
import tools.jackson.databind.node.ArrayNode;

/** {@code POST /v1/responses}. */
public final class Responses implements Endpoint {
  private final Model model;
  private final Generations generations;
  private final Requests requests;
  private final Retention retention;

  public Responses(Model model, Generations generations, Requests requests, Retention retention) {
    this.model = model;
    this.generations = generations;
    this.requests = requests;
    this.retention = retention;
  }

  @Override
  public void handle(Exchange exchange) {
    JsonFields fields = exchange.json();
    JsonFields chatFields = ResponseFields.toChat(fields);
    ChatRequest chat = ChatRequest.parse(chatFields, model);
    retention.check(chatFields);
    GenerationRequest request =
        requests.of(exchange.tenant(), chat.prompt(), chat.options(), chatFields);
    ResponseJson json =
        new ResponseJson(exchange.id(), System.currentTimeMillis() / 1000, model.name(), fields);
    try (Batch batch = generations.start(exchange, List.of(request))) {
      if (chat.stream().on()) {
        new ResponseStream(json, chat.tools().streamParser()).run(exchange, batch.first());
      } else {
        GenerationResult result = batch.first().result();
        exchange.send(json.complete(output(json, chat, result), result));
      }
    }
    retention.keep(exchange, request, chatFields);
  }

  private static ArrayNode output(ResponseJson json, ChatRequest chat, GenerationResult result) {
    ParsedAnswer parsed = ParsedAnswer.of(result.completions().getFirst(), chat.tools().parser());
    ArrayNode output = Json.array();
    if (!parsed.text().isEmpty() || parsed.calls().isEmpty()) {
      boolean cut = result.finishReason() == FinishReason.LENGTH && parsed.calls().isEmpty();
      output.add(json.message(0, parsed.text(), cut));
    }
    parsed.calls().forEach(call -> output.add(ResponseJson.call(call, "completed")));
    return output;
  }
}
