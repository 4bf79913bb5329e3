package org.chunkllama.prefix;

import java.util.List;

/**
 * A prefix tree at one moment, for drawing: chains of chunks with the same sharers and state are
 * one run.
 *
 * @param chunkTokens tokens per chunk
 * @param chunksTotal chunks of the pool
 * @param chunksFree with nothing in them
 * @param chunksLive that live sequences run through
 * @param chunksRetained kept for later
 * @param runs in depth-first order, parents before children, live before retained siblings
 */
public record TreeSnapshot(
    int chunkTokens,
    int chunksTotal,
    int chunksFree,
    int chunksLive,
    int chunksRetained,
    List<Run> runs) {

  /**
   * One or more chunks in a row, each the only child of the one before.
   *
   * @param parent index of the run above in {@link TreeSnapshot#runs}; -1 at the top
   * @param depth runs above this one
   * @param salt the tenant
   * @param firstToken position of its first token
   * @param tokens tokens in it
   * @param chunks chunks in it
   * @param sequences ids of the live sequences that share it, in order; empty if retained
   * @param pinned held by a pin
   * @param inFlight holds tokens that are not computed yet
   * @param tokenIds {@code [tokens]} if asked for, else empty
   */
  public record Run(
      int parent,
      int depth,
      String salt,
      int firstToken,
      int tokens,
      int chunks,
      long[] sequences,
      boolean pinned,
      boolean inFlight,
      int[] tokenIds) {
    /** Kept for later, in no live sequence. */
    public boolean isRetained() {
      return sequences.length == 0;
    }

    /** In two or more live sequences: worked on chunk first. */
    public boolean isShared() {
      return sequences.length > 1;
    }
  }
}
