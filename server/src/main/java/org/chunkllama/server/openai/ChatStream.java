package org.chunkllama.server.openai;

import java.util.BitSet;
import java.util.Iterator;
import java.util.List;
import org.chunkllama.Completion;
import org.chunkllama.GenerationPiece;
import org.chunkllama.GenerationResult;
import org.chunkllama.server.generate.Running;
import org.chunkllama.server.http.EventStream;
import org.chunkllama.server.http.Exchange;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/** A chat's answer as events. */
final class ChatStream {
  private static final String OBJECT = "chat.completion.chunk";

  private final AnswerHead head;
  private final ChatRequest chat;
  private final Logprobs logprobs;
  private final BitSet begun = new BitSet();

  ChatStream(AnswerHead head, ChatRequest chat, Logprobs logprobs) {
    this.head = head;
    this.chat = chat;
    this.logprobs = logprobs;
  }

  void run(Exchange exchange, Running running) {
    Iterator<GenerationPiece> pieces = running.pieces();
    boolean any = pieces.hasNext(); // what fails before the first token still gets its own status
    try (EventStream events = exchange.stream()) {
      while (any) {
        piece(events, pieces.next());
        any = pieces.hasNext();
      }
      GenerationResult result = running.result();
      for (Completion completion : result.completions()) {
        begin(events, completion.index());
        end(events, completion);
      }
      if (chat.stream().usage()) {
        usage(events, result);
      }
      events.done();
    }
  }

  private void piece(EventStream events, GenerationPiece piece) {
    begin(events, piece.index());
    if (piece.text().isEmpty() && piece.logprobs().isEmpty()) {
      return; // a part of a character, or what may become a stop string
    }
    events.data(json ->
        chunk(
            json,
            piece.index(),
            delta -> delta.writeStringProperty("content", piece.text()),
            piece,
            null));
  }

  private void begin(EventStream events, int index) {
    if (!begun.get(index)) {
      begun.set(index);
      events.data(json ->
          chunk(
              json,
              index,
              delta -> {
                delta.writeStringProperty("role", "assistant");
                delta.writeStringProperty("content", "");
              },
              null,
              null));
    }
  }

  private void end(EventStream events, Completion completion) {
    String reason = Finish.reason(completion.finishReason());
    events.data(json -> chunk(json, completion.index(), _ -> {}, null, reason));
  }

  private void usage(EventStream events, GenerationResult result) {
    events.data(json -> {
      json.writeStartObject();
      head.write(json, OBJECT);
      json.writeArrayPropertyStart("choices");
      json.writeEndArray();
      json.writeName("usage");
      json.writeTree(Usage.of(List.of(result)).json());
      json.writeEndObject();
    });
  }

  /** Writes the fields of a delta. */
  @FunctionalInterface
  private interface Delta {
    void write(JsonGenerator json);
  }

  private void chunk(
      JsonGenerator json,
      int index,
      Delta delta,
      @Nullable GenerationPiece piece,
      @Nullable String finish) {
    json.writeStartObject();
    head.write(json, OBJECT);
    json.writeArrayPropertyStart("choices");
    json.writeStartObject();
    json.writeNumberProperty("index", index);
    json.writeObjectPropertyStart("delta");
    delta.write(json);
    json.writeEndObject();
    json.writeName("logprobs");
    if (piece != null && chat.options().wantsLogprobs()) {
      json.writeTree(logprobs.chat(piece.logprobs()));
    } else {
      json.writeNull();
    }
    json.writeName("finish_reason");
    json.writeString(finish);
    json.writeEndObject();
    json.writeEndArray();
    if (chat.stream().usage()) {
      json.writeNullProperty("usage");
    }
    json.writeEndObject();
  }
}
