package org.chunkllama.server.openai;

import java.util.List;
import java.util.OptionalInt;
import org.chunkllama.Prompt;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.server.generate.Model;
import org.chunkllama.server.http.JsonFields;

/**
 * A request to {@code /v1/completions}.
 *
 * @param prompts one or more
 * @param options how to generate
 * @param echo put the prompt before the answer
 * @param stream whether and how to stream
 */
record CompletionRequest(
    List<Prompt> prompts, GenerationOptions options, boolean echo, StreamFields stream) {
  private static final int DEFAULT_MAX_TOKENS = 16;
  private static final int MAX_LOGPROBS = 20;

  static CompletionRequest parse(JsonFields fields, Model model) {
    model.check(fields);
    List<Prompt> prompts = CompletionPrompts.parse(fields);
    int vocabulary = model.llm().config().vocabulary();
    GenerationOptions options = SamplingFields.parse(fields, DEFAULT_MAX_TOKENS, vocabulary);
    StreamFields stream = StreamFields.parse(fields);
    if (fields.has("suffix") && !fields.requiredString("suffix").isEmpty()) {
      throw fields.wrong("suffix", "is not supported: this model does not fill gaps");
    }
    OptionalInt logprobs = fields.integer("logprobs", 0, MAX_LOGPROBS);
    boolean echo = fields.flag("echo", false);
    if (echo && logprobs.isPresent()) {
      throw fields.wrong(
          "echo", "together with 'logprobs' is not supported: prompts get no log probabilities");
    }
    return new CompletionRequest(
        prompts,
        options
            .withBestOf(bestOf(fields, options.n(), stream))
            .withLogprobs(logprobs.orElse(GenerationOptions.NO_LOGPROBS)),
        echo,
        stream);
  }

  private static int bestOf(JsonFields fields, int n, StreamFields stream) {
    int drawn = fields.integer("best_of", 1, GenerationOptions.MAX_BRANCHES).orElse(n);
    if (drawn < n) {
      throw fields.wrong("best_of", "must be at least n (%d)".formatted(n));
    }
    if (drawn > n && stream.on()) {
      throw fields.wrong("best_of", "above n cannot be streamed: the best is known at the end");
    }
    return drawn > n ? drawn : 0;
  }
}
