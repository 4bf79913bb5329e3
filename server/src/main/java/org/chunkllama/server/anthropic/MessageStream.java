package org.chunkllama.server.anthropic;

import java.util.Iterator;
import org.chunkllama.GenerationPiece;
import org.chunkllama.GenerationResult;
import org.chunkllama.server.generate.Running;
import org.chunkllama.server.http.EventStream;
import org.chunkllama.server.http.Exchange;
import org.chunkllama.server.http.Json;
import org.chunkllama.server.openai.AnswerParser;
import tools.jackson.databind.node.ObjectNode;

/** A message as events: content blocks open, grow and close, one after another. */
final class MessageStream {
  private final ObjectNode message;
  private final AnswerParser parser;

  /** {@code promptTokens}: all of the prompt; which of them were cached is said at the end. */
  MessageStream(ObjectNode message, int promptTokens, AnswerParser parser) {
    this.message = message;
    this.parser = parser;
    message.set("usage", MessageJson.usage(promptTokens, 0, 0));
  }

  void run(Exchange exchange, Running running) {
    Iterator<GenerationPiece> pieces = running.pieces();
    boolean any = pieces.hasNext(); // what fails before the first token still gets its own status
    EventStream events = exchange.stream();
    send(events, "message_start", Json.object().set("message", message));
    Blocks blocks = new Blocks(events);
    while (any) {
      parser.accept(pieces.next().text(), blocks);
      any = pieces.hasNext();
    }
    GenerationResult result = running.result();
    parser.finish(blocks);
    blocks.end();
    ObjectNode end = Json.object();
    MessageJson.stop(end.putObject("delta"), result.completions().getFirst(), blocks.calls > 0);
    end.set("usage", MessageJson.usage(result));
    send(events, "message_delta", end);
    send(events, "message_stop", Json.object());
    events.end();
  }

  private static void send(EventStream events, String type, ObjectNode fields) {
    ObjectNode event = Json.object();
    event.put("type", type);
    event.setAll(fields);
    events.event(type, generator -> generator.writeTree(event));
  }

  /** The blocks of the message; at most one is open. */
  private static final class Blocks implements AnswerParser.Sink {
    private final EventStream events;
    private int index;
    private boolean open;
    private int calls;

    Blocks(EventStream events) {
      this.events = events;
    }

    @Override
    public void text(String text) {
      if (!open) {
        open = true;
        start(MessageJson.text(""));
      }
      delta(Json.object().put("type", "text_delta").put("text", text));
    }

    @Override
    public void callBegins(String id, String name) {
      endText();
      calls++;
      start(MessageJson.call(id, name));
    }

    @Override
    public void arguments(String part) {
      delta(Json.object().put("type", "input_json_delta").put("partial_json", part));
    }

    @Override
    public void callEnds() {
      stop();
    }

    /** Closes what is open; an answer without anything is an empty text. */
    void end() {
      if (!open && index == 0) {
        text("");
      }
      endText();
    }

    private void endText() {
      if (open) {
        open = false;
        stop();
      }
    }

    private void start(ObjectNode block) {
      ObjectNode event = Json.object().put("index", index);
      event.set("content_block", block);
      send(events, "content_block_start", event);
    }

    private void delta(ObjectNode delta) {
      ObjectNode event = Json.object().put("index", index);
      event.set("delta", delta);
      send(events, "content_block_delta", event);
    }

    private void stop() {
      send(events, "content_block_stop", Json.object().put("index", index++));
    }
  }
}
