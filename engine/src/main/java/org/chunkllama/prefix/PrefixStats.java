package org.chunkllama.prefix;

/**
 * What a tree did since it was made.
 *
 * @param sequencesInserted prompts inserted
 * @param tokensQueried prompt tokens of all inserts
 * @param tokensReused those whose K and V came from the tree
 * @param tokensCopied those of the reused that were copied from inside a chunk rather than shared
 *     in place
 * @param chunkCopies copies within the KV cache: partial matches and first writes after a fork
 * @param chunksMerged live chunks given up because a sibling held the same computed tokens
 * @param chunksEvicted retained chunks given up for room
 * @param chunksLivePeak most chunks live at once
 * @param chunksLivePeakUnshared what the sequences of that moment would have taken without sharing
 */
public record PrefixStats(
    long sequencesInserted,
    long tokensQueried,
    long tokensReused,
    long tokensCopied,
    long chunkCopies,
    long chunksMerged,
    long chunksEvicted,
    int chunksLivePeak,
    int chunksLivePeakUnshared) {}
