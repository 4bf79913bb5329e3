package org.chunkllama.cli;

import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.chunkllama.Completion;
import org.chunkllama.Generation;
import org.chunkllama.GenerationRequest;
import org.chunkllama.GenerationResult;
import org.chunkllama.Llm;
import org.chunkllama.error.ChunkLlamaException;

/** Runs requests together and prints what comes, in the order of the requests. */
final class Answers {
  /** How answers are printed. */
  enum Format {
    /** Text as it comes, where there is one request. */
    STREAM,
    /** Text when finished. */
    TEXT,
    /** A JSON line when finished. */
    JSON
  }

  private final Console console;
  private final PrintStream out;
  private final Llm llm;
  private final List<PromptLine> lines;

  /**
   * Answers of {@code llm}.
   *
   * @param lines where each request came from, for messages
   */
  Answers(Console console, Llm llm, List<PromptLine> lines) {
    this.console = console;
    this.out = console.out();
    this.llm = llm;
    this.lines = lines;
  }

  /** True if all requests were answered; each that was not is told on standard error. */
  boolean run(List<GenerationRequest> requests, Format format) {
    if (requests.size() == 1 && format == Format.STREAM) {
      stream(requests.getFirst());
      return true;
    }
    List<Generation> generations = llm.submitAll(requests);
    boolean allDone = true;
    for (int i = 0; i < generations.size(); i++) {
      allDone &= print(i, generations.get(i), generations.size(), format);
    }
    return allDone;
  }

  private void stream(GenerationRequest request) {
    boolean midLine = false;
    try (Generation generation = llm.generate(request)) {
      for (String piece : generation) {
        midLine = true;
        out.print(piece);
        out.flush();
      }
    } finally {
      if (midLine) {
        out.println();
      }
    }
  }

  private boolean print(int index, Generation generation, int count, Format format) {
    GenerationResult result;
    try {
      result = generation.result();
    } catch (ChunkLlamaException e) {
      console.say(origin(index, count) + e.getMessage());
      if (format == Format.JSON) {
        out.println(Json.line(line(index, new int[0], new int[0], "", "error", 0)));
      }
      return false;
    }
    for (Completion completion : result.completions()) {
      if (format == Format.JSON) {
        out.println(Json.line(json(index, result, completion)));
      } else {
        printText(index, count, result.completions().size(), completion);
      }
    }
    out.flush();
    return true;
  }

  private String origin(int index, int count) {
    int number = lines.get(index).number();
    if (number > 0) {
      return "line " + number + ": ";
    }
    return count > 1 ? "prompt " + index + ": " : "";
  }

  private void printText(int index, int requests, int answers, Completion completion) {
    if (requests > 1 && answers > 1) {
      out.println("── prompt " + index + ", answer " + completion.index());
    } else if (requests > 1) {
      out.println("── prompt " + index);
    } else if (answers > 1) {
      out.println("── answer " + completion.index());
    }
    out.println(completion.text());
  }

  private static Map<String, Object> json(
      int index, GenerationResult result, Completion completion) {
    Map<String, Object> json =
        line(
            index,
            result.promptTokenIds(),
            completion.tokenIds(),
            completion.text(),
            completion.finishReason().name().toLowerCase(Locale.ROOT),
            result.cachedTokens());
    if (!completion.logprobs().isEmpty()) {
      json.put("logprobs", completion.logprobs());
    }
    return json;
  }

  private static Map<String, Object> line(
      int index, int[] promptIds, int[] ids, String text, String finishReason, int cachedTokens) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("index", index);
    json.put("prompt_token_ids", promptIds);
    json.put("token_ids", ids);
    json.put("text", text);
    json.put("finish_reason", finishReason);
    json.put("cached_tokens", cachedTokens);
    return json;
  }
}
