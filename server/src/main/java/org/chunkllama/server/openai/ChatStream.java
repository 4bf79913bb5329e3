package org.chunkllama.server.openai;

import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
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
  private final Map<Integer, Choice> choices = new HashMap<>();

  ChatStream(AnswerHead head, ChatRequest chat, Logprobs logprobs) {
    this.head = head;
    this.chat = chat;
    this.logprobs = logprobs;
  }

  void run(Exchange exchange, Running running) {
    Iterator<GenerationPiece> pieces = running.pieces();
    boolean any = pieces.hasNext(); // what fails before the first token still gets its own status
    EventStream events = exchange.stream();
    while (any) {
      piece(events, pieces.next());
      any = pieces.hasNext();
    }
    GenerationResult result = running.result();
    for (Completion completion : result.completions()) {
      end(events, completion);
    }
    if (chat.stream().usage()) {
      usage(events, result);
    }
    events.done();
    events.end();
  }

  private void piece(EventStream events, GenerationPiece piece) {
    Choice choice = choice(events, piece.index());
    choice.piece = piece;
    choice.parser.accept(piece.text(), choice);
    GenerationPiece unsent = choice.piece;
    if (unsent != null && chat.options().wantsLogprobs() && !unsent.logprobs().isEmpty()) {
      choice.text(""); // tokens without text of their own still have log probabilities
    }
    choice.piece = null;
  }

  private Choice choice(EventStream events, int index) {
    return choices.computeIfAbsent(index, _ -> new Choice(events, index));
  }

  private void end(EventStream events, Completion completion) {
    Choice choice = choice(events, completion.index());
    choice.parser.finish(choice);
    String reason = Finish.reason(completion.finishReason(), choice.calls > 0);
    events.data(json -> chunk(json, completion.index(), _ -> {}, null, reason));
  }

  /** One answer on its way: the parts that its parser finds become events. */
  private final class Choice implements AnswerParser.Sink {
    private final EventStream events;
    private final int index;
    private final AnswerParser parser = chat.tools().streamParser();

    /** The piece that is being parsed, until its log probabilities are sent. */
    private @Nullable GenerationPiece piece;

    private int calls;

    Choice(EventStream events, int index) {
      this.events = events;
      this.index = index;
      send(delta -> {
        delta.writeStringProperty("role", "assistant");
        delta.writeStringProperty("content", "");
      });
    }

    @Override
    public void text(String text) {
      send(delta -> delta.writeStringProperty("content", text));
    }

    @Override
    public void callBegins(String id, String name) {
      calls++;
      call(json -> {
        json.writeStringProperty("id", id);
        json.writeStringProperty("type", "function");
        json.writeObjectPropertyStart("function");
        json.writeStringProperty("name", name);
        json.writeStringProperty("arguments", "");
        json.writeEndObject();
      });
    }

    @Override
    public void arguments(String part) {
      call(json -> {
        json.writeObjectPropertyStart("function");
        json.writeStringProperty("arguments", part);
        json.writeEndObject();
      });
    }

    @Override
    public void callEnds() {}

    private void call(Delta fields) {
      int number = calls - 1;
      send(delta -> {
        delta.writeArrayPropertyStart("tool_calls");
        delta.writeStartObject();
        delta.writeNumberProperty("index", number);
        fields.write(delta);
        delta.writeEndObject();
        delta.writeEndArray();
      });
    }

    private void send(Delta delta) {
      GenerationPiece carried = piece;
      piece = null;
      events.data(json -> chunk(json, index, delta, carried, null));
    }
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
