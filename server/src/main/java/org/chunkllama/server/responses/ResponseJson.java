package org.chunkllama.server.responses;

import java.util.List;
import org.chunkllama.GenerationResult;
import org.chunkllama.sample.FinishReason;
import org.chunkllama.server.http.Json;
import org.chunkllama.server.http.JsonFields;
import org.chunkllama.server.openai.ToolCall;
import org.chunkllama.server.openai.Usage;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The objects of an answer.
 *
 * @param id of the request
 * @param created seconds since 1970
 * @param model as clients call it
 * @param request whose settings the answer repeats
 */
record ResponseJson(String id, long created, String model, JsonFields request) {
  /** An answer that has only begun. */
  ObjectNode begun() {
    return response("in_progress", Json.array(), null);
  }

  /** A complete answer. */
  ObjectNode complete(ArrayNode output, GenerationResult result) {
    boolean cut = result.finishReason() == FinishReason.LENGTH;
    ObjectNode json = response(cut ? "incomplete" : "completed", output, result);
    if (cut) {
      json.putObject("incomplete_details").put("reason", "max_output_tokens");
    }
    return json;
  }

  /**
   * An answer that broke off.
   *
   * @param output the items that were complete
   */
  ObjectNode failed(ArrayNode output, String message) {
    ObjectNode json = response("failed", output, null);
    // The API has names for faults of prompts and images; what else goes wrong is the server's.
    json.putObject("error").put("code", "server_error").put("message", message);
    return json;
  }

  private ObjectNode response(String status, ArrayNode output, @Nullable GenerationResult result) {
    ObjectNode json = Json.object();
    json.put("id", "resp_" + id);
    json.put("object", "response");
    json.put("created_at", created);
    json.put("status", status);
    json.putNull("error");
    json.putNull("incomplete_details");
    json.put("model", model);
    json.set("output", output);
    repeat(json, "instructions", Json.node(""));
    repeat(json, "metadata", Json.object());
    repeat(json, "temperature", Json.node(1));
    repeat(json, "top_p", Json.node(1));
    repeat(json, "max_output_tokens", null);
    repeat(json, "tools", Json.array());
    repeat(json, "tool_choice", Json.node("auto"));
    repeat(json, "parallel_tool_calls", Json.node(true));
    json.put("store", false);
    json.set("usage", result == null ? null : usage(Usage.of(List.of(result))));
    return json;
  }

  private void repeat(ObjectNode json, String field, @Nullable JsonNode otherwise) {
    json.set(field, request.value(field).orElse(otherwise));
  }

  private static ObjectNode usage(Usage usage) {
    ObjectNode json = Json.object();
    json.put("input_tokens", usage.prompt());
    json.putObject("input_tokens_details").put("cached_tokens", usage.cached());
    json.put("output_tokens", usage.generated());
    json.putObject("output_tokens_details").put("reasoning_tokens", 0);
    json.put("total_tokens", usage.prompt() + usage.generated());
    return json;
  }

  /** A message that has only begun. */
  ObjectNode message(int index) {
    ObjectNode json = Json.object();
    json.put("id", messageId(index));
    json.put("type", "message");
    json.put("status", "in_progress");
    json.put("role", "assistant");
    json.putArray("content");
    return json;
  }

  /** A message with its text, which {@code cut} tells to be cut off. */
  ObjectNode message(int index, String text, boolean cut) {
    ObjectNode json = message(index);
    json.put("status", cut ? "incomplete" : "completed");
    json.putArray("content").add(part(text));
    return json;
  }

  String messageId(int index) {
    return "msg_" + id + "_" + index;
  }

  static ObjectNode part(String text) {
    ObjectNode part = Json.object();
    part.put("type", "output_text");
    part.put("text", text);
    part.putArray("annotations");
    part.putArray("logprobs");
    return part;
  }

  /** A call: {@code in_progress}, {@code completed} or {@code incomplete}. */
  static ObjectNode call(ToolCall call, String status) {
    ObjectNode json = Json.object();
    json.put("id", callId(call));
    json.put("type", "function_call");
    json.put("status", status);
    json.put("call_id", call.id());
    json.put("name", call.name());
    json.put("arguments", call.arguments());
    return json;
  }

  static String callId(ToolCall call) {
    return "fc_" + call.id();
  }
}
