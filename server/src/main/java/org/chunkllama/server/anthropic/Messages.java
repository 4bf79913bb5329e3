package org.chunkllama.server.anthropic;

import java.util.List;
import java.util.Optional;
import org.chunkllama.Completion;
import org.chunkllama.GenerationRequest;
import org.chunkllama.GenerationResult;
import org.chunkllama.server.cache.Pins;
import org.chunkllama.server.generate.Batch;
import org.chunkllama.server.generate.Generations;
import org.chunkllama.server.generate.Model;
import org.chunkllama.server.http.Endpoint;
import org.chunkllama.server.http.Exchange;
import org.chunkllama.server.http.JsonFields;
import org.chunkllama.server.openai.ChatRequest;
import org.chunkllama.server.openai.ParsedAnswer;
import org.chunkllama.server.openai.Requests;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code POST /v1/messages}. */
public final class Messages implements Endpoint {
  private final Model model;
  private final Generations generations;
  private final Requests requests;
  private final Pins pins;

  public Messages(Model model, Generations generations, Requests requests, Pins pins) {
    this.model = model;
    this.generations = generations;
    this.requests = requests;
    this.pins = pins;
  }

  @Override
  public void handle(Exchange exchange) {
    JsonFields fields = exchange.json();
    MessageFields.Chat translated = MessageFields.toChat(fields);
    JsonFields chatFields = translated.fields();
    ChatRequest chat = ChatRequest.parse(chatFields, model);
    Optional<CacheControl> mark = CacheControl.of(fields, translated.ends());
    GenerationRequest request =
        requests.of(exchange.tenant(), chat.prompt(), chat.options(), chatFields);
    try (Batch batch = generations.start(exchange, List.of(request))) {
      ObjectNode message = MessageJson.message(exchange.id(), model.name());
      if (chat.stream().on()) {
        int prompt = model.llm().encode(chat.prompt()).length;
        new MessageStream(message, prompt, chat.tools().streamParser())
            .run(exchange, batch.first());
      } else {
        exchange.send(answer(message, chat, batch.first().result()));
      }
    }
    mark.ifPresent(control -> {
      int[] prefix = control.prefix(model.llm(), chat.prompt());
      if (prefix.length > 0) {
        pins.keep(exchange.tenant(), prefix, request.salt(), control.ttl());
      }
    });
  }

  private static ObjectNode answer(ObjectNode message, ChatRequest chat, GenerationResult result) {
    Completion completion = result.completions().getFirst();
    ParsedAnswer parsed = ParsedAnswer.of(completion, chat.tools().parser());
    ArrayNode content = message.putArray("content");
    if (!parsed.text().isEmpty() || parsed.calls().isEmpty()) {
      content.add(MessageJson.text(parsed.text()));
    }
    parsed.calls().forEach(call -> content.add(MessageJson.call(call)));
    MessageJson.stop(message, completion, !parsed.calls().isEmpty());
    message.set("usage", MessageJson.usage(result));
    return message;
  }
}
