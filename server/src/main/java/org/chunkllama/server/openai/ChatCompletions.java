package org.chunkllama.server.openai;

import java.util.List;
import org.chunkllama.Completion;
import org.chunkllama.GenerationRequest;
import org.chunkllama.GenerationResult;
import org.chunkllama.server.generate.Batch;
import org.chunkllama.server.generate.Generations;
import org.chunkllama.server.generate.Model;
import org.chunkllama.server.http.Endpoint;
import org.chunkllama.server.http.Exchange;
import org.chunkllama.server.http.Json;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code POST /v1/chat/completions}. */
public final class ChatCompletions implements Endpoint {
  private final Model model;
  private final Generations generations;
  private final Requests requests;
  private final Retention retention;
  private final Logprobs logprobs;

  public ChatCompletions(
      Model model, Generations generations, Requests requests, Retention retention) {
    this.model = model;
    this.generations = generations;
    this.requests = requests;
    this.retention = retention;
    this.logprobs = new Logprobs(model.llm().tokenizer());
  }

  @Override
  public void handle(Exchange exchange) {
    var fields = exchange.json();
    ChatRequest chat = ChatRequest.parse(fields, model);
    retention.check(fields);
    GenerationRequest request =
        requests.of(exchange.tenant(), chat.prompt(), chat.options(), fields);
    AnswerHead head = AnswerHead.of("chatcmpl-", exchange, model);
    try (Batch batch = generations.start(exchange, List.of(request))) {
      if (chat.stream().on()) {
        new ChatStream(head, chat, logprobs).run(exchange, batch.first());
      } else {
        exchange.send(answer(head, chat, batch.first().result()));
      }
    }
    retention.keep(exchange, request, fields);
  }

  private ObjectNode answer(AnswerHead head, ChatRequest chat, GenerationResult result) {
    ObjectNode json = head.json("chat.completion");
    ArrayNode choices = json.putArray("choices");
    for (Completion completion : result.completions()) {
      ObjectNode choice = choices.addObject();
      choice.put("index", completion.index());
      ParsedAnswer parsed = ParsedAnswer.of(completion, chat.tools().parser());
      choice.set("message", message(parsed));
      choice.set(
          "logprobs", chat.options().wantsLogprobs() ? logprobs.chat(completion.logprobs()) : null);
      choice.put("finish_reason", parsed.finishReason());
    }
    json.set("usage", Usage.of(List.of(result)).json());
    return json;
  }

  private static ObjectNode message(ParsedAnswer parsed) {
    ObjectNode message = Json.object();
    message.put("role", "assistant");
    boolean callsOnly = !parsed.calls().isEmpty() && parsed.text().isEmpty();
    message.put("content", callsOnly ? null : parsed.text());
    message.putNull("refusal");
    if (!parsed.calls().isEmpty()) {
      ArrayNode calls = message.putArray("tool_calls");
      parsed.calls().forEach(call -> calls.add(call.json()));
    }
    return message;
  }
}
