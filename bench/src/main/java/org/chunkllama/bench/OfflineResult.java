package org.chunkllama.bench;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The five figures of one round, under the names that the peers' scripts print, in tokens per
 * second; and memory.
 *
 * @param promptTokensPerSecond a long prompt to its first token
 * @param singleDecodeTokensPerSecond one short request
 * @param batchShortTokensPerSecond short requests that share nothing, together
 * @param sharedColdTokensPerSecond requests with a long common prefix, together
 * @param sharedWarmTokensPerSecond the same requests again
 * @param kvBytesPeak most bytes of chunks in use at once
 * @param kvBytesPeakUnshared what they would have been without sharing
 */
public record OfflineResult(
    double promptTokensPerSecond,
    double singleDecodeTokensPerSecond,
    double batchShortTokensPerSecond,
    double sharedColdTokensPerSecond,
    double sharedWarmTokensPerSecond,
    long kvBytesPeak,
    long kvBytesPeakUnshared) {
  /** Names of the five figures, in order. */
  public static final java.util.List<String> FIGURES =
      java.util.List.of(
          "prompt_tokens_per_s",
          "single_decode_tokens_per_s",
          "batch_short_tokens_per_s",
          "shared_cold_tokens_per_s",
          "shared_warm_tokens_per_s");

  /** One JSON object of the peers' shape. */
  public Map<String, Object> json() {
    double[] values = {
      promptTokensPerSecond,
      singleDecodeTokensPerSecond,
      batchShortTokensPerSecond,
      sharedColdTokensPerSecond,
      sharedWarmTokensPerSecond
    };
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("engine", "chunkllama");
    for (int i = 0; i < values.length; i++) {
      json.put(FIGURES.get(i), Math.round(values[i] * 10) / 10.0);
    }
    json.put("kv_bytes_peak", kvBytesPeak);
    json.put("kv_bytes_peak_unshared", kvBytesPeakUnshared);
    return json;
  }
}
