package org.chunkllama.schedule;

import org.chunkllama.prefix.PrefixStats;

/**
 * An engine's figures at one moment.
 *
 * @param requests that ended, failed and cancelled ones included
 * @param promptTokensComputed prompt tokens whose KV was computed, each counted once
 * @param promptTokensReused prompt tokens whose KV was there or came from another request
 * @param recomputedTokens computed again after preemption
 * @param generatedTokens of all completions
 * @param steps model steps
 * @param preemptions sequences removed for lack of chunks and recomputed later
 * @param deadlines requests that failed because their deadline passed
 * @param planNanos time in steps before the model: admission, batch, plan
 * @param modelNanos time in the forward pass
 * @param outputNanos time after it: drawing, text, growing, listeners
 * @param gapNanos time from the tokens of one step to the forward pass of the next, where one
 *     follows at once; a device that computes by itself stands still then, its launch included
 * @param prefillNanos time in steps, prompt rows' share
 * @param decodeNanos time in steps, decode rows' share
 * @param ttftNanosSum submission to first token, summed
 * @param ttftCount requests that had a first token
 * @param running live sequences
 * @param waiting entries not admitted
 * @param chunksTotal of the pool
 * @param chunksFree of the pool
 * @param chunksLive that sequences run through
 * @param chunksRetained kept for later
 * @param chunksShared that two or more live sequences run through
 * @param sharedRows live sequences through shared chunks, summed over those chunks
 * @param chunksUnshared that the live sequences would take without sharing
 * @param prefix the tree's own figures
 */
public record EngineStats(
    long requests,
    long promptTokensComputed,
    long promptTokensReused,
    long recomputedTokens,
    long generatedTokens,
    long steps,
    long preemptions,
    long deadlines,
    long planNanos,
    long modelNanos,
    long outputNanos,
    long gapNanos,
    long prefillNanos,
    long decodeNanos,
    long ttftNanosSum,
    long ttftCount,
    int running,
    int waiting,
    int chunksTotal,
    int chunksFree,
    int chunksLive,
    int chunksRetained,
    int chunksShared,
    int sharedRows,
    int chunksUnshared,
    PrefixStats prefix) {}
