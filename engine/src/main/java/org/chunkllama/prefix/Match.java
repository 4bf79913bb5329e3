package org.chunkllama.prefix;

/**
 * How much of a prompt the tree knows. At most all tokens but the last, which is computed in any
 * case, for its logits.
 *
 * @param readyTokens leading tokens whose K and V can be used now: whole chunks, then what can be
 *     copied from inside one
 * @param pendingTokens tokens after those that live sequences hold and have yet to compute: worth
 *     waiting for
 */
public record Match(int readyTokens, int pendingTokens) {
  static final Match NONE = new Match(0, 0);
}
