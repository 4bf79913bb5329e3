package org.chunkllama.prefix;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A live sequence: tokens on a path of chunks. Token i stands in chunk {@code i / chunkTokens} of
 * the path, at slot {@code i % chunkTokens}. Made by {@link PrefixTree#insert} and {@link
 * PrefixTree#fork}, ended by {@link PrefixTree#remove}; belongs to the thread that owns the tree.
 */
public final class Sequence {
  final ChunkStore store;
  private final long id;
  private final String salt;
  private final int reused;
  final ChunkUsage usage;
  int[] chunkIds;
  int chunkCount;
  int length;
  int computed;
  boolean removed;
  @Nullable Sequence next;
  @Nullable Sequence previous;
  private @Nullable Object attachment;

  Sequence(ChunkStore store, long id, String salt, int reused, ChunkUsage usage, int[] chunkIds) {
    this.store = store;
    this.id = id;
    this.salt = salt;
    this.reused = reused;
    this.usage = usage;
    this.chunkIds = chunkIds;
  }

  /** Stable name, unique in its tree. */
  public long id() {
    return id;
  }

  /** The tenant; sequences of different salts share nothing. */
  public String salt() {
    return salt;
  }

  /** Tokens so far, prompt and output. */
  public int length() {
    return length;
  }

  /**
   * Leading tokens whose K and V this sequence can read: the next row to compute stands at this
   * position.
   */
  public int computed() {
    return computed;
  }

  /**
   * Leading prompt tokens whose K and V came from the tree when it was inserted; a fork tells its
   * parent's.
   */
  public int reused() {
    return reused;
  }

  /**
   * The token at position {@code i}.
   *
   * @throws IndexOutOfBoundsException if there is none, or the sequence was removed
   */
  public int token(int i) {
    if (i < 0 || i >= length) {
      throw new IndexOutOfBoundsException(
          "token " + i + " of " + length + " (sequence " + id + ")");
    }
    return store.nodes[chunkIds[i / store.chunkTokens]].tokens[i % store.chunkTokens];
  }

  /** A copy of all tokens. */
  public int[] tokens() {
    int[] tokens = new int[length];
    for (int i = 0; i < chunkCount; i++) {
      int from = i * store.chunkTokens;
      System.arraycopy(
          store.nodes[chunkIds[i]].tokens,
          0,
          tokens,
          from,
          Math.min(store.chunkTokens, length - from));
    }
    return tokens;
  }

  /**
   * Chunk ids of the path, by position / chunkTokens; the first {@link #chunkCount} count. This is
   * the live array: read only, valid until the next call that changes the tree.
   */
  public int[] chunkIds() {
    return chunkIds;
  }

  /** Chunks of the path: ceil(length / chunkTokens). */
  public int chunkCount() {
    return chunkCount;
  }

  /** The next live sequence in the tree's depth-first order; null after the last. */
  public @Nullable Sequence next() {
    return next;
  }

  /** Keeps the caller's own object about this sequence; the tree does not look at it. */
  public void attach(Object attachment) {
    this.attachment = attachment;
  }

  /** What was attached; null if nothing was. A fork starts with nothing. */
  public @Nullable Object attachment() {
    return attachment;
  }

  /** True once it has been removed from the tree; then it has no tokens and no chunks. */
  public boolean isRemoved() {
    return removed;
  }

  @Override
  public String toString() {
    return "sequence " + id + " (" + computed + " of " + length + " tokens computed)";
  }

  Node node(int index) {
    return store.nodes[chunkIds[index]];
  }

  Node lastNode() {
    return node(chunkCount - 1);
  }

  /** True if the path runs through {@code node}. */
  boolean sharesNode(Node node) {
    return node.depth < chunkCount && chunkIds[node.depth] == node.chunk;
  }

  void addChunk(int chunk) {
    if (chunkCount == chunkIds.length) {
      chunkIds = Arrays.copyOf(chunkIds, 2 * chunkCount);
    }
    chunkIds[chunkCount++] = chunk;
  }
}
