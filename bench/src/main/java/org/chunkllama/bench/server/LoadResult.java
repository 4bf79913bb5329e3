package org.chunkllama.bench.server;

import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/**
 * What vLLM's client measured.
 *
 * @param load what was asked
 * @param rate requests per second, Poisson; infinite = all at once
 * @param ttftMillis median time to the first token
 * @param tpotMillis median time per further token
 * @param tokensPerSecond generated
 * @param kvBytesPeak most bytes of keys and values in use since the server's start; 0 if unknown
 */
public record LoadResult(
    String load,
    Target target,
    double rate,
    int completed,
    int failed,
    double ttftMillis,
    double tpotMillis,
    double tokensPerSecond,
    double requestsPerSecond,
    long kvBytesPeak) {
  static LoadResult of(
      Load load, Target target, double rate, int asked, JsonNode json, long kvBytesPeak) {
    int completed = json.get("completed").intValue();
    return new LoadResult(
        load.name(),
        target,
        rate,
        completed,
        asked - completed,
        json.get("median_ttft_ms").doubleValue(),
        json.get("median_tpot_ms").doubleValue(),
        json.get("output_throughput").doubleValue(),
        json.get("request_throughput").doubleValue(),
        kvBytesPeak);
  }

  /** For programs. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("load", load);
    json.put("target", target.name());
    json.put("rate", Double.isInfinite(rate) ? "inf" : rate);
    json.put("completed", completed);
    json.put("failed", failed);
    json.put("ttft_ms_median", ttftMillis);
    json.put("tpot_ms_median", tpotMillis);
    json.put("tokens_per_s", tokensPerSecond);
    json.put("requests_per_s", requestsPerSecond);
    json.put("kv_bytes_peak", kvBytesPeak);
    return json;
  }
}
