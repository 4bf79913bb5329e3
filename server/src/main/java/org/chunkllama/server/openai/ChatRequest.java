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
 * @param stream whether and how to stream
 */
record ChatRequest(Prompt.Chat prompt, GenerationOptions options, StreamFields stream) {
  private static final int MAX_TOP_LOGPROBS = 20;

  static ChatRequest parse(JsonFields fields, Model model) {
    model.check(fields);
    Prompt.Chat prompt = ChatMessages.prompt(fields);
    int vocabulary = model.llm().config().vocabulary();
    GenerationOptions options = SamplingFields.parse(fields, model.llm().context(), vocabulary);
    return new ChatRequest(
        prompt, options.withLogprobs(logprobs(fields)), StreamFields.parse(fields));
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
