package org.chunkllama.server.responses;

import java.util.Iterator;
import org.chunkllama.GenerationPiece;
import org.chunkllama.GenerationResult;
import org.chunkllama.sample.FinishReason;
import org.chunkllama.server.generate.Running;
import org.chunkllama.server.http.ApiException;
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
    EventStream events = exchange.stream(this::failed);
    send(events, "response.created", Json.object().set("response", json.begun()));
    send(events, "response.in_progress", Json.object().set("response", json.begun()));
    Items items = new Items(events);
    while (any) {
      parser.accept(pieces.next().text(), items);
      any = pieces.hasNext();
    }
    GenerationResult result = running.result();
    items.cut = result.finishReason() == FinishReason.LENGTH;
    parser.finish(items);
    items.end();
    ObjectNode complete = json.complete(output, result);
    String status = complete.get("status").stringValue();
    send(events, "response." + status, Json.object().set("response", complete));
    events.end();
  }

  private void failed(EventStream events, ApiException error) {
    ObjectNode failed = json.failed(output, error.message());
    send(events, "response.failed", Json.object().set("response", failed));
  }

  private void send(EventStream events, String type, ObjectNode fields) {
    ObjectNode event = Json.object();
    event.put("type", type);
    event.put("sequence_number", sequence++);
    event.setAll(fields);
    events.event(type, generator -> generator.writeTree(event));
  }

  /** The items of the answer; at most one, a message or a call, is open. */
  private final class Items implements AnswerParser.Sink {
    private final EventStream events;
    private final StringBuilder arguments = new StringBuilder();
    private @Nullable StringBuilder open;
    private ToolCall call = new ToolCall("", "", "");

    /** The answer ended for its length: what is open ends incomplete. */
    private boolean cut;

    Items(EventStream events) {
      this.events = events;
    }

    @Override
    public void text(String text) {
      StringBuilder message = open;
      if (message == null) {
        message = new StringBuilder();
        open = message;
        item("response.output_item.added", json.message(output.size()));
        send(events, "response.content_part.added", place().set("part", ResponseJson.part("")));
      }
      message.append(text);
      ObjectNode delta = place().put("delta", text);
      delta.putArray("logprobs");
      send(events, "response.output_text.delta", delta);
    }

    @Override
    public void callBegins(String id, String name) {
      endMessage(false);
      call = new ToolCall(id, name, "");
      arguments.setLength(0);
      item("response.output_item.added", ResponseJson.call(call, "in_progress"));
    }

    @Override
    public void arguments(String part) {
      arguments.append(part);
      send(events, "response.function_call_arguments.delta", callPlace().put("delta", part));
    }

    @Override
    public void callEnds() {
      call = new ToolCall(call.id(), call.name(), arguments.toString());
      send(
          events,
          "response.function_call_arguments.done",
          callPlace().put("name", call.name()).put("arguments", call.arguments()));
      boolean broken = cut && !Json.isObject(call.arguments());
      ObjectNode done = ResponseJson.call(call, broken ? "incomplete" : "completed");
      item("response.output_item.done", done);
      output.add(done);
    }

    private ObjectNode callPlace() {
      ObjectNode place = Json.object();
      place.put("item_id", ResponseJson.callId(call));
      place.put("output_index", output.size());
      return place;
    }

    /** Closes what is open; an answer without anything is an empty message. */
    void end() {
      if (open == null && output.isEmpty()) {
        text("");
      }
      endMessage(cut);
    }

    private void endMessage(boolean incomplete) {
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
      ObjectNode item = json.message(output.size(), text, incomplete);
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
