package org.chunkllama.prefix;

/** Running totals behind {@link PrefixStats}. */
final class Counters {
  long sequencesInserted;
  long tokensQueried;
  long tokensReused;
  long tokensCopied;
  long chunkCopies;
  long chunksMerged;

  /** Sum of the live sequences' chunk counts: what they would take without sharing. */
  int unshared;

  private int livePeak;
  private int livePeakUnshared;

  /** Takes note of the chunks live now; among equal peaks the one that shares most counts. */
  void live(int chunks) {
    if (chunks > livePeak) {
      livePeak = chunks;
      livePeakUnshared = unshared;
    } else if (chunks == livePeak) {
      livePeakUnshared = Math.max(livePeakUnshared, unshared);
    }
  }

  PrefixStats stats(long chunksEvicted) {
    return new PrefixStats(
        sequencesInserted,
        tokensQueried,
        tokensReused,
        tokensCopied,
        chunkCopies,
        chunksMerged,
        chunksEvicted,
        livePeak,
        livePeakUnshared);
  }
}
