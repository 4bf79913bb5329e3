package org.chunkllama.server.openai;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.sample.SamplingOptions;
import org.chunkllama.server.http.JsonFields;
import tools.jackson.databind.JsonNode;

/**
 * The fields that say how tokens are drawn and when an answer ends, under OpenAI's names and
 * vLLM's.
 */
public final class SamplingFields {
  private static final int MAX_STOPS = 64;

  /** Below it all weights but the greatest vanish, and their quotient leaves a float's range. */
  private static final double LEAST_TEMPERATURE = 1e-5;

  private SamplingFields() {}

  /**
   * Reads them all but those about log probabilities, whose form differs between APIs.
   *
   * @param maxTokens where the request states none
   * @param vocabulary ids known
   */
  public static GenerationOptions parse(JsonFields fields, int maxTokens, int vocabulary) {
    List<String> stop = fields.strings("stop");
    if (stop.size() > MAX_STOPS || stop.contains("")) {
      throw fields.wrong("stop", "must hold at most %d strings, none empty".formatted(MAX_STOPS));
    }
    int most = maxTokens(fields).orElse(maxTokens);
    int least = fields.integer("min_tokens", 0, Integer.MAX_VALUE).orElse(0);
    if (least > most) {
      throw fields.wrong("min_tokens", "must be at most max_tokens (%d)".formatted(most));
    }
    GenerationOptions options =
        GenerationOptions.defaults()
            .withMaxTokens(most)
            .withMinTokens(least)
            .withStop(stop.toArray(String[]::new))
            .withStopIds(fields.ids("stop_token_ids"))
            .withIgnoreEos(fields.flag("ignore_eos", false))
            .withN(fields.integer("n", 1, GenerationOptions.MAX_BRANCHES).orElse(1))
            .withSampling(sampling(fields, vocabulary));
    return Guides.parse(fields).map(options::withGuide).orElse(options);
  }

  private static OptionalInt maxTokens(JsonFields fields) {
    OptionalInt newer = fields.integer("max_completion_tokens", 1, Integer.MAX_VALUE);
    OptionalInt older = fields.integer("max_tokens", 1, Integer.MAX_VALUE);
    return newer.isPresent() ? newer : older;
  }

  private static SamplingOptions sampling(JsonFields fields, int vocabulary) {
    double topP = fields.number("top_p", 0, 1).orElse(1);
    if (topP == 0) {
      throw fields.wrong("top_p", "must be above 0");
    }
    double repetition = fields.number("repetition_penalty", 0, 100).orElse(1);
    if (repetition == 0) {
      throw fields.wrong("repetition_penalty", "must be above 0");
    }
    SamplingOptions options =
        SamplingOptions.temperature(temperature(fields))
            .withTopP(topP)
            .withTopK(Math.max(0, fields.integer("top_k", -1, Integer.MAX_VALUE).orElse(0)))
            .withMinP(fields.number("min_p", 0, 1).orElse(0))
            .withPresencePenalty(fields.number("presence_penalty", -2, 2).orElse(0))
            .withFrequencyPenalty(fields.number("frequency_penalty", -2, 2).orElse(0))
            .withRepetitionPenalty(repetition)
            .withLogitBias(logitBias(fields, vocabulary));
    OptionalLong seed = fields.integer("seed", Long.MIN_VALUE, Long.MAX_VALUE);
    return seed.isPresent() ? options.withSeed(seed.getAsLong()) : options;
  }

  private static double temperature(JsonFields fields) {
    double temperature = fields.number("temperature", 0, 2).orElse(1);
    return temperature < LEAST_TEMPERATURE ? 0 : temperature;
  }

  private static Map<Integer, Float> logitBias(JsonFields fields, int vocabulary) {
    Map<Integer, Float> bias = new HashMap<>();
    fields
        .fields("logit_bias")
        .ifPresent(all -> {
          for (Map.Entry<String, JsonNode> entry : all.json().properties()) {
            double value = all.number(entry.getKey(), -100, 100).orElse(0);
            bias.put(id(all, entry.getKey(), vocabulary), (float) value);
          }
        });
    return bias;
  }

  private static int id(JsonFields fields, String key, int vocabulary) {
    try {
      int id = Integer.parseInt(key);
      if (id >= 0 && id < vocabulary) {
        return id;
      }
    } catch (NumberFormatException _) {
      // said below
    }
    throw fields.wrong(key, "is no token id of this model; ids go up to " + (vocabulary - 1));
  }
}
