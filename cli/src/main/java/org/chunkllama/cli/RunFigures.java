package org.chunkllama.cli;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.chunkllama.LlmStats;

/**
 * The figures of a run: between two readings of the engine's counters.
 *
 * @param promptTokens of all prompts
 * @param promptTokensComputed whose keys and values were computed
 * @param promptTokensReused whose keys and values were shared with another prompt
 * @param generatedTokens of all answers
 * @param ttftSeconds time to first token, mean over requests
 * @param seconds from submission to the last token
 * @param kvBytesPeak most bytes of chunks in use at once
 * @param kvBytesPeakUnshared what they would have been without sharing
 */
record RunFigures(
    long promptTokens,
    long promptTokensComputed,
    long promptTokensReused,
    long generatedTokens,
    double ttftSeconds,
    double seconds,
    long kvBytesPeak,
    long kvBytesPeakUnshared) {

  /** Figures since loading, for a run that took {@code nanos}. */
  static RunFigures of(LlmStats stats, long nanos) {
    return new RunFigures(
        stats.promptTokens(),
        stats.promptTokensComputed(),
        stats.promptTokensReused(),
        stats.generatedTokens(),
        seconds(stats.ttftNanosMean()),
        seconds(nanos),
        stats.kvBytesPeak(),
        stats.kvBytesPeakUnshared());
  }

  private static double seconds(long nanos) {
    return (double) nanos / TimeUnit.SECONDS.toNanos(1);
  }

  double tokensPerSecond() {
    return seconds > 0 ? generatedTokens / seconds : 0;
  }

  /** What {@code --stats} writes. */
  Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("prompt_tokens", promptTokens);
    json.put("prompt_tokens_computed", promptTokensComputed);
    json.put("prompt_tokens_reused", promptTokensReused);
    json.put("generated_tokens", generatedTokens);
    json.put("ttft_seconds", ttftSeconds);
    json.put("tokens_per_second", tokensPerSecond());
    json.put("kv_bytes_peak", kvBytesPeak);
    json.put("kv_bytes_peak_unshared", kvBytesPeakUnshared);
    return json;
  }

  /** One line for people. */
  String summary() {
    return String.format(
            Locale.ROOT,
            "prompt %,d tokens (%,d reused), generated %,d in %.2f s (%.1f tokens/s, first after %.2f"
                + " s); KV memory %s, without sharing %s",
            promptTokens,
            promptTokensReused,
            generatedTokens,
            seconds,
            tokensPerSecond(),
            ttftSeconds,
            Sizes.format(kvBytesPeak),
            Sizes.format(kvBytesPeakUnshared))
        + saving();
  }

  private String saving() {
    if (kvBytesPeakUnshared <= kvBytesPeak) {
      return "";
    }
    double share = 100.0 * (kvBytesPeakUnshared - kvBytesPeak) / kvBytesPeakUnshared;
    return String.format(Locale.ROOT, " (%.0f %% less)", share);
  }
}
