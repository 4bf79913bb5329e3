package org.chunkllama.server.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.chunkllama.Prompt;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.server.generate.Model;
import org.chunkllama.server.http.ApiException;
import org.chunkllama.server.http.Json;
import org.chunkllama.server.http.JsonFields;
import org.chunkllama.text.Message;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A request to {@code /v1/chat/completions}.
 *
 * @param prompt messages, tools and what the template is told
 * @param options how to generate
 * @param stream whether and how to stream
 */
record ChatRequest(Prompt.Chat prompt, GenerationOptions options, StreamFields stream) {
  private static final int MAX_TOP_LOGPROBS = 20;

  static ChatRequest parse(JsonFields fields, Model model) {
    model.check(fields);
    Prompt.Chat prompt = prompt(fields);
    int vocabulary = model.llm().config().vocabulary();
    GenerationOptions options = SamplingFields.parse(fields, model.llm().context(), vocabulary);
    return new ChatRequest(
        prompt, options.withLogprobs(logprobs(fields)), StreamFields.parse(fields));
  }

  /** The messages alone. */
  static Prompt.Chat prompt(JsonFields fields) {
    List<Message> messages = messages(fields);
    boolean answer = fields.flag("add_generation_prompt", true);
    Map<String, @Nullable Object> extras =
        fields
            .fields("chat_template_kwargs")
            .map(kwargs -> Json.map(kwargs.json()))
            .orElse(Map.of());
    return new Prompt.Chat(messages, List.of(), answer, extras);
  }

  private static List<Message> messages(JsonFields fields) {
    List<Message> messages = new ArrayList<>();
    for (JsonFields message : fields.objects("messages")) {
      String role = message.requiredString("role");
      checkContent(message);
      try {
        Map<String, @Nullable Object> json = Json.map(message.json());
        json.put("role", role.equals("developer") ? "system" : role);
        messages.add(Message.of(json));
      } catch (InvalidRequestException e) {
        throw ApiException.invalid(message.name("content"), String.valueOf(e.getMessage()));
      }
    }
    if (messages.isEmpty()) {
      throw fields.wrong("messages", "must hold at least one message");
    }
    return messages;
  }

  private static void checkContent(JsonFields message) {
    JsonNode content = message.value("content").orElse(null);
    if (content == null || content.isString()) {
      return;
    }
    for (JsonFields part : message.objects("content")) {
      String type = part.string("type").orElse("text");
      if (!type.equals("text")) {
        throw part.wrong("type", "must be 'text': this model reads text only, not " + type);
      }
      part.requiredString("text");
    }
  }

  private static int logprobs(JsonFields fields) {
    boolean wanted = fields.flag("logprobs", false);
    int top = fields.integer("top_logprobs", 0, MAX_TOP_LOGPROBS).orElse(0);
    if (top > 0 && !wanted) {
      throw fields.wrong("top_logprobs", "needs 'logprobs': true");
    }
    return wanted ? top : GenerationOptions.NO_LOGPROBS;
  }
}
