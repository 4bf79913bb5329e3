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
 * @param deadlines requests that failed because their deadline passed
 * @param chunksTotal chunks of the KV pool: free + live + retained
 * @param chunksFree with nothing in them
 * @param chunksLive that running sequences read
 * @param chunksRetained kept for later, evictable unless pinned
 * @param chunksShared that two or more running sequences read
 * @param rowsPerSharedChunk running sequences per shared chunk, mean; 0 if nothing is shared
 * @param kvBytesSaved bytes that the running sequences would take more now without sharing
 * @param prefixTokensQueried tokens looked up in the prefix tree, those of preempted sequences
 *     again
 * @param prefixTokensHit those of them that were found
 * @param chunksEvicted retained chunks given up for room
 * @param planNanos time in steps before the model: admission, batch, plan
 * @param modelNanos time in the forward pass
 * @param outputNanos time after it: drawing, text, growing, handing over
 * @param gapNanos time from the tokens of one step to the forward pass of the next, where one
 *     follows at once; part of the others
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
    int waiting,
    long deadlines,
    int chunksTotal,
    int chunksFree,
    int chunksLive,
    int chunksRetained,
    int chunksShared,
    double rowsPerSharedChunk,
    long kvBytesSaved,
    long prefixTokensQueried,
    long prefixTokensHit,
    long chunksEvicted,
    long planNanos,
    long modelNanos,
    long outputNanos,
    long gapNanos) {
  /** Part of the KV pool that running sequences hold, 0 to 1. */
  public double kvUsage() {
    return (double) chunksLive / chunksTotal;
  }
}
