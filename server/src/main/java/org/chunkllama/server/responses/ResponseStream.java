package org.chunkllama.server.responses;

import java.util.Iterator;
import org.chunkllama.GenerationPiece;
import org.chunkllama.GenerationResult;
import org.chunkllama.server.generate.Running;
import org.chunkllama.server.http.EventStream;
import org.chunkllama.server.http.Exchange;
import org.chunkllama.server.http.Json;
import org.chunkllama.server.openai.AnswerParser;
import org.chunkllama.server.openai.ToolCall;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A response as events: items open, grow and close, one after another. */
final class ResponseStream {
  private final ResponseJson json;
  private final AnswerParser parser;
  private final ArrayNode output = Json.array();
  private int sequence;

  ResponseStream(ResponseJson json, AnswerParser parser) {
    this.json = json;
    this.parser = parser;
  }

  void run(Exchange exchange, Running running) {
    Iterator<GenerationPiece> pieces = running.pieces();
    boolean any = pieces.hasNext(); // what fails before the first token still gets its own status
    EventStream events = exchange.stream();
    send(events, "response.created", Json.object().set("response", json.begun()));
    send(events, "response.in_progress", Json.object().set("response", json.begun()));
    Items items = new Items(events);
    while (any) {
      parser.accept(pieces.next().text(), items);
      any = pieces.hasNext();
    }
    GenerationResult result = running.result();
    parser.finish(items);
    items.end();
    ObjectNode complete = json.complete(output, result);
    String status = complete.get("status").stringValue();
    send(events, "response." + status, Json.object().set("response", complete));
    events.end();
  }

  private void send(EventStream events, String type, ObjectNode fields) {
    ObjectNode event = Json.object();
    event.put("type", type);
    event.put("sequence_number", sequence++);
    event.setAll(fields);
    events.event(type, generator -> generator.writeTree(event));
  }

  /** The items of the answer; at most one, a message, is open. */
  private final class Items implements AnswerParser.Sink {
    private final EventStream events;
    private @Nullable StringBuilder open;

    Items(EventStream events) {
      this.events = events;
    }

    @Override
    public void text(String text) {
      StringBuilder message = open;
      if (message == null) {
        message = new StringBuilder();
        open = message;
        item("response.output_item.added", json.message(output.size(), null));
        send(events, "response.content_part.added", place().set("part", ResponseJson.part("")));
      }
      message.append(text);
      ObjectNode delta = place().put("delta", text);
      delta.putArray("logprobs");
      send(events, "response.output_text.delta", delta);
    }

    @Override
    public void call(ToolCall call) {
      endMessage();
      item("response.output_item.added", ResponseJson.call(call, false));
      ObjectNode place = Json.object();
      place.put("item_id", ResponseJson.callId(call));
      place.put("output_index", output.size());
      send(
          events,
          "response.function_call_arguments.delta",
          place.deepCopy().put("delta", call.arguments()));
      send(
          events,
          "response.function_call_arguments.done",
          place.deepCopy().put("name", call.name()).put("arguments", call.arguments()));
      ObjectNode done = ResponseJson.call(call, true);
      item("response.output_item.done", done);
      output.add(done);
    }

    /** Closes what is open; an answer without anything is an empty message. */
    void end() {
      if (open == null && output.isEmpty()) {
        text("");
      }
      endMessage();
    }

    private void endMessage() {
      StringBuilder message = open;
      if (message == null) {
        return;
      }
      open = null;
      String text = message.toString();
      ObjectNode done = place().put("text", text);
      done.putArray("logprobs");
      send(events, "response.output_text.done", done);
      send(events, "response.content_part.done", place().set("part", ResponseJson.part(text)));
      ObjectNode item = json.message(output.size(), text);
      item("response.output_item.done", item);
      output.add(item);
    }

    private ObjectNode place() {
      ObjectNode place = Json.object();
      place.put("item_id", json.messageId(output.size()));
      place.put("output_index", output.size());
      place.put("content_index", 0);
      return place;
    }

    private void item(String type, ObjectNode item) {
      ObjectNode event = Json.object();
      event.put("output_index", output.size());
      event.set("item", item);
      send(events, type, event);
    }
  }
}
