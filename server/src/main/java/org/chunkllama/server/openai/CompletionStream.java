package org.chunkllama.server.openai;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.chunkllama.Completion;
import org.chunkllama.GenerationPiece;
import org.chunkllama.GenerationResult;
import org.chunkllama.Llm;
import org.chunkllama.sample.TokenLogprobs;
import org.chunkllama.server.generate.Batch;
import org.chunkllama.server.generate.Merged;
import org.chunkllama.server.generate.Running;
import org.chunkllama.server.http.EventStream;
import org.chunkllama.server.http.Exchange;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/** Completions as events. */
final class CompletionStream {
  private static final String OBJECT = "text_completion";

  private final AnswerHead head;
  private final CompletionRequest request;
  private final Logprobs logprobs;
  private final Llm llm;
  private final BitSet echoed = new BitSet();
  private final Map<Integer, TextOffsets> offsets = new HashMap<>(); // by index

  CompletionStream(AnswerHead head, CompletionRequest request, Logprobs logprobs, Llm llm) {
    this.head = head;
    this.request = request;
    this.logprobs = logprobs;
    this.llm = llm;
  }

  void run(Exchange exchange, Batch batch) {
    Merged pieces = new Merged(batch);
    boolean any = pieces.hasNext(); // what fails before the first token still gets its own status
    EventStream events = exchange.stream();
    while (any) {
      piece(events, pieces.next());
      any = pieces.hasNext();
    }
    List<GenerationResult> results = new ArrayList<>();
    for (Running running : batch.all()) {
      GenerationResult result = running.result();
      for (Completion completion : result.completions()) {
        int index = results.size() * request.options().n() + completion.index();
        String finish = Finish.reason(completion.finishReason());
        events.data(json -> chunk(json, index, "", null, finish));
      }
      results.add(result);
    }
    if (request.stream().usage()) {
      usage(events, results);
    }
    events.done();
    events.end();
  }

  private void piece(EventStream events, Merged.Piece next) {
    GenerationPiece piece = next.piece();
    int index = next.source() * request.options().n() + piece.index();
    String echo =
        echoed.get(index) ? "" : Completions.echo(request, next.source(), llm.tokenizer());
    echoed.set(index);
    String text = echo + piece.text();
    if (text.isEmpty() && piece.logprobs().isEmpty()) {
      return; // a part of a character, or what may become a stop string
    }
    events.data(json -> chunk(json, index, text, piece.logprobs(), null));
  }

  private TextOffsets offsets(int index) {
    return offsets.computeIfAbsent(
        index, i -> new TextOffsets(llm, request.prompts().get(i / request.options().n())));
  }

  private void usage(EventStream events, List<GenerationResult> results) {
    events.data(json -> {
      json.writeStartObject();
      head.write(json, OBJECT);
      json.writeArrayPropertyStart("choices");
      json.writeEndArray();
      json.writeName("usage");
      json.writeTree(Usage.of(results).json());
      json.writeEndObject();
    });
  }

  private void chunk(
      JsonGenerator json,
      int index,
      String text,
      @Nullable List<TokenLogprobs> tokens,
      @Nullable String finish) {
    json.writeStartObject();
    head.write(json, OBJECT);
    json.writeArrayPropertyStart("choices");
    json.writeStartObject();
    json.writeNumberProperty("index", index);
    json.writeStringProperty("text", text);
    json.writeName("logprobs");
    if (tokens != null && request.options().wantsLogprobs()) {
      json.writeTree(logprobs.completion(tokens, offsets(index)));
    } else {
      json.writeNull();
    }
    json.writeName("finish_reason");
    json.writeString(finish);
    json.writeEndObject();
    json.writeEndArray();
    if (request.stream().usage()) {
      json.writeNullProperty("usage");
    }
    json.writeEndObject();
  }
}
