package org.chunkllama;

/**
 * Figures since loading. Tokens of prompts count once per request: {@code promptTokens =
 * promptTokensComputed + promptTokensReused} when nothing is in flight.
 *
 * @param requests finished, failed and cancelled ones included
 * @param promptTokens of all prompts
 * @param promptTokensComputed whose keys and values were computed
 * @param promptTokensReused whose keys and values were there already
 * @param recomputedTokens computed again after preemption
 * @param generatedTokens of all completions
 * @param steps model steps
 * @param preemptions sequences thrown out for lack of chunks and recomputed later
 * @param prefillNanos time in steps, the share of prompt rows
 * @param decodeNanos time in steps, the share of decode rows
 * @param ttftNanosMean submission to first token, mean over requests; 0 before the first
 * @param kvBytesPeak most bytes of chunks that running sequences held at once
 * @param kvBytesPeakUnshared most bytes those sequences would have held without sharing
 * @param running sequences in the batch now
 * @param waiting requests not yet admitted
 */
public record LlmStats(
    long requests,
    long promptTokens,
    long promptTokensComputed,
    long promptTokensReused,
    long recomputedTokens,
    long generatedTokens,
    long steps,
    long preemptions,
    long prefillNanos,
    long decodeNanos,
    long ttftNanosMean,
    long kvBytesPeak,
    long kvBytesPeakUnshared,
    int running,
    int waiting) {}
