package org.chunkllama.server.anthropic;

import java.util.List;
import org.chunkllama.Completion;
import org.chunkllama.GenerationResult;
import org.chunkllama.sample.FinishReason;
import org.chunkllama.server.http.Json;
import org.chunkllama.server.openai.ToolCall;
import org.chunkllama.server.openai.Usage;
import tools.jackson.databind.node.ObjectNode;

/** The objects of an answer. */
final class MessageJson {
  private MessageJson() {}

  /** A message without content. */
  static ObjectNode message(String id, String model) {
    ObjectNode json = Json.object();
    json.put("id", "msg_" + id);
    json.put("type", "message");
    json.put("role", "assistant");
    json.put("model", model);
    json.putArray("content");
    json.putNull("stop_reason");
    json.putNull("stop_sequence");
    return json;
  }

  static ObjectNode text(String text) {
    return Json.object().put("type", "text").put("text", text);
  }

  /** A call; its input as an object. */
  static ObjectNode call(ToolCall call) {
    ObjectNode json = call(call.id(), call.name());
    json.set("input", Json.parse(call.arguments()));
    return json;
  }

  /** A call whose input is to follow. */
  static ObjectNode call(String id, String name) {
    ObjectNode json = Json.object();
    json.put("type", "tool_use");
    json.put("id", id);
    json.put("name", name);
    json.putObject("input");
    return json;
  }

  /** Why an answer ended, into {@code json}. */
  static void stop(ObjectNode json, Completion completion, boolean calls) {
    boolean sequence = !completion.stoppedBy().isEmpty();
    String reason =
        completion.finishReason() == FinishReason.LENGTH
            ? "max_tokens"
            : calls ? "tool_use" : sequence ? "stop_sequence" : "end_turn";
    json.put("stop_reason", reason);
    json.put("stop_sequence", sequence ? completion.stoppedBy() : null);
  }

  /** Tokens that were in the cache do not count as input. */
  static ObjectNode usage(GenerationResult result) {
    Usage usage = Usage.of(List.of(result));
    return usage(usage.prompt() - usage.cached(), usage.cached(), usage.generated());
  }

  static ObjectNode usage(int input, int cached, int output) {
    ObjectNode json = Json.object();
    json.put("input_tokens", input);
    json.put("cache_creation_input_tokens", 0);
    json.put("cache_read_input_tokens", cached);
    json.put("output_tokens", output);
    return json;
  }
}
