package org.chunkllama.server.openai;

import java.util.List;
import org.chunkllama.Completion;
import org.chunkllama.GenerationRequest;
import org.chunkllama.GenerationResult;
import org.chunkllama.Prompt;
import org.chunkllama.server.generate.Batch;
import org.chunkllama.server.generate.Generations;
import org.chunkllama.server.generate.Model;
import org.chunkllama.server.generate.Running;
import org.chunkllama.server.http.Endpoint;
import org.chunkllama.server.http.Exchange;
import org.chunkllama.text.Tokenizer;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code POST /v1/completions}. */
public final class Completions implements Endpoint {
  private final Model model;
  private final Generations generations;
  private final Requests requests;
  private final Retention retention;
  private final Logprobs logprobs;

  public Completions(Model model, Generations generations, Requests requests, Retention retention) {
    this.model = model;
    this.generations = generations;
    this.requests = requests;
    this.retention = retention;
    this.logprobs = new Logprobs(model.llm().tokenizer());
  }

  @Override
  public void handle(Exchange exchange) {
    var fields = exchange.json();
    CompletionRequest completion = CompletionRequest.parse(fields, model);
    retention.check(fields);
    List<GenerationRequest> all =
        completion.prompts().stream()
            .map(p -> requests.of(exchange.tenant(), p, completion.options(), fields))
            .toList();
    AnswerHead head = AnswerHead.of("cmpl-", exchange, model);
    try (Batch batch = generations.start(exchange, all)) {
      if (completion.stream().on()) {
        new CompletionStream(head, completion, logprobs, model.llm()).run(exchange, batch);
      } else {
        exchange.send(answer(head, completion, Running.results(batch.all())));
      }
    }
    all.forEach(request -> retention.keep(exchange, request, fields));
  }

  private ObjectNode answer(
      AnswerHead head, CompletionRequest request, List<GenerationResult> results) {
    ObjectNode json = head.json("text_completion");
    ArrayNode choices = json.putArray("choices");
    for (int i = 0; i < results.size(); i++) {
      String echo = echo(request, i, model.llm().tokenizer());
      for (Completion completion : results.get(i).completions()) {
        ObjectNode choice = choices.addObject();
        choice.put("index", choices.size() - 1);
        choice.put("text", echo + completion.text());
        choice.set(
            "logprobs",
            request.options().wantsLogprobs()
                ? logprobs.completion(
                    completion.logprobs(), new TextOffsets(model.llm(), request.prompts().get(i)))
                : null);
        choice.put("finish_reason", Finish.reason(completion.finishReason()));
      }
    }
    json.set("usage", Usage.of(results).json());
    return json;
  }

  /** The prompt as text, where the request wants it back; else empty. */
  static String echo(CompletionRequest request, int index, Tokenizer tokenizer) {
    if (!request.echo()) {
      return "";
    }
    return switch (request.prompts().get(index)) {
      case Prompt.Raw raw -> raw.text();
      case Prompt.Tokens tokens -> tokenizer.decode(tokens.ids());
      case Prompt.Chat _ -> throw new IllegalArgumentException("a completion's prompt is no chat");
    };
  }
}
