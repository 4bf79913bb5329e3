package org.chunkllama.server.openai;

import java.util.List;
import org.chunkllama.GenerationResult;
import org.chunkllama.server.http.Json;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a request took, in tokens.
 *
 * @param prompt of the prompts
 * @param cached those of them that were there already
 * @param generated of all completions
 */
public record Usage(int prompt, int cached, int generated) {
  public static Usage of(List<GenerationResult> results) {
    int prompt = 0;
    int cached = 0;
    int generated = 0;
    for (GenerationResult result : results) {
      prompt += result.promptTokenIds().length;
      cached += result.cachedTokens();
      generated += result.generatedTokens();
    }
    return new Usage(prompt, cached, generated);
  }

  ObjectNode json() {
    ObjectNode json = Json.object();
    json.put("prompt_tokens", prompt);
    json.put("completion_tokens", generated);
    json.put("total_tokens", prompt + generated);
    json.putObject("prompt_tokens_details").put("cached_tokens", cached);
    return json;
  }
}
