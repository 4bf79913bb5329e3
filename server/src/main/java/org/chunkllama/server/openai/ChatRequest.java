package org.chunkllama.server.openai;

import org.chunkllama.Prompt;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.server.generate.Model;
import org.chunkllama.server.http.JsonFields;

/**
 * A request to {@code /v1/chat/completions}.
 *
 * @param prompt messages, tools and what the template is told
 * @param options how to generate
 * @param tools what the model may call
 * @param stream whether and how to stream
 */
public record ChatRequest(
    Prompt.Chat prompt, GenerationOptions options, Tools tools, StreamFields stream) {
  private static final int MAX_TOP_LOGPROBS = 20;

  public static ChatRequest parse(JsonFields fields, Model model) {
    model.check(fields);
    Tools tools = Tools.parse(fields, model.llm().chatTemplate().source());
    Prompt.Chat prompt = ChatMessages.prompt(fields, tools.descriptions());
    int vocabulary = model.llm().config().vocabulary();
    GenerationOptions options =
        SamplingFields.parse(fields, model.llm().context(), vocabulary)
            .withLogprobs(logprobs(fields));
    if (tools.guide().isPresent() && options.guide().isPresent()) {
      throw fields.wrong("tool_choice", "forces a call, and the answer shall have another form");
    }
    return new ChatRequest(
        prompt,
        tools.guide().map(options::withGuide).orElse(options),
        tools,
        StreamFields.parse(fields));
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
