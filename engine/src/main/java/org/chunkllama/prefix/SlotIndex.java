package org.chunkllama.prefix;

import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Finds a child by its first tokens. Every token in the tree has an entry, chunk * chunkTokens +
 * slot, under the hash of the path up to and including it (salt, all tokens above, the chunk's
 * tokens up to the slot). So the child that equals a whole chunk is one look-up, and the child with
 * the longest common prefix is found by a binary search over lengths, however many siblings there
 * are.
 *
 * <p>The hash only finds candidates: parent and tokens are compared. It is seeded at random, so
 * that nobody can prepare prompts that collide. Adding and removing an entry is O(1); memory is 16
 * bytes a token slot, taken at start.
 */
final class SlotIndex {
  private final Node[] nodes; // by chunk id
  private final int chunkTokens;
  private final int hashMask;
  private final int seed = ThreadLocalRandom.current().nextInt();
  private final int[] hashes; // [entry]
  private final int[] next; // [entry] next entry of the bucket, -1 at its end
  private final int[] previous; // [entry] previous entry of the bucket, -1 at its head
  private final int[] heads; // [bucket] first entry, -1 if empty

  /**
   * An empty index.
   *
   * @param hashMask bits of hashes to use: -1; tests use fewer to make them collide
   * @throws IllegalArgumentException if there are more than 2^30 token slots
   */
  SlotIndex(Node[] nodes, int chunkTokens, int hashMask) {
    this.nodes = nodes;
    this.chunkTokens = chunkTokens;
    this.hashMask = hashMask;
    long entries = (long) nodes.length * chunkTokens;
    if (entries > 1 << 30) {
      throw new IllegalArgumentException(
          nodes.length
              + " chunks of "
              + chunkTokens
              + " tokens are more than 2^30 tokens; use a smaller KV cache");
    }
    hashes = new int[(int) entries];
    next = new int[(int) entries];
    previous = new int[(int) entries];
    heads = new int[Math.max(1, Integer.highestOneBit((int) entries))];
    Arrays.fill(heads, -1);
  }

  /** Hash of an empty path under {@code salt}. */
  int hash(String salt) {
    return extend(seed, salt.hashCode());
  }

  /** Hash of a path extended by one token (a step of MurmurHash3). */
  int extend(int hash, int token) {
    int h = hash ^ (Integer.rotateLeft(token * 0xcc9e2d51, 15) * 0x1b873593);
    return (Integer.rotateLeft(h, 13) * 5 + 0xe6546b64) & hashMask;
  }

  /** Hash of the path that ends with the node's last token; the node must be full. */
  int hash(Node node) {
    return node.isRoot() ? node.seed : hashes[entry(node, chunkTokens - 1)];
  }

  /** Adds an entry for a node's token, in flight; those before it must be there. */
  void add(Node node, int slot) {
    int entry = entry(node, slot);
    int hash = extend(slot == 0 ? node.seed : hashes[entry - 1], node.tokens[slot]);
    hashes[entry] = hash;
    link(entry, bucket(hash, false));
  }

  /** Moves the entries of a node's tokens at slots [node.ready, to) to the ready ones. */
  void makeReady(Node node, int to) {
    for (int slot = node.ready; slot < to; slot++) {
      int entry = entry(node, slot);
      unlink(entry, bucket(hashes[entry], false));
      link(entry, bucket(hashes[entry], true));
    }
  }

  /** Removes the entries of a node's tokens at slots [from, to). */
  void remove(Node node, int from, int to) {
    for (int slot = from; slot < to; slot++) {
      int entry = entry(node, slot);
      unlink(entry, bucket(hashes[entry], slot < node.ready));
    }
  }

  /**
   * A child of {@code parent} that begins with {@code tokens[from, from + length)}, of which the
   * last is computed ({@code ready}) or not. Start with {@code after} = -1 and pass the last answer
   * for the next one.
   *
   * @param hash of the path that ends with these tokens
   * @param length 1 or more
   * @return chunk id, or -1 if there is none (left)
   */
  int find(Node parent, int hash, int[] tokens, int from, int length, boolean ready, int after) {
    int slot = length - 1;
    int entry = after < 0 ? heads[bucket(hash, ready)] : next[after * chunkTokens + slot];
    for (; entry >= 0; entry = next[entry]) {
      if (hashes[entry] != hash || entry % chunkTokens != slot) {
        continue;
      }
      Node node = nodes[entry / chunkTokens];
      if (node.parent == parent
          && (node.ready >= length) == ready
          && Arrays.equals(node.tokens, 0, length, tokens, from, from + length)) {
        return node.chunk;
      }
    }
    return -1;
  }

  /**
   * Another child of the same parent whose first {@code length} tokens are computed and equal; -1
   * if there is none.
   */
  int twin(Node node, int length) {
    int hash = hashes[entry(node, length - 1)];
    int found = find(node.parent, hash, node.tokens, 0, length, true, -1);
    return found == node.chunk
        ? find(node.parent, hash, node.tokens, 0, length, true, found)
        : found;
  }

  /**
   * Verifies that exactly the tokens in the tree have entries, each in the bucket and under the
   * hash of its path. Linear in the tokens.
   *
   * @throws IllegalStateException if not
   */
  void check(int tokens) {
    BitSet seen = new BitSet(next.length);
    for (int bucket = 0; bucket < heads.length; bucket++) {
      for (int entry = heads[bucket]; entry >= 0; entry = next[entry]) {
        Node node = nodes[entry / chunkTokens];
        int slot = entry % chunkTokens;
        int above = slot == 0 ? hash(node.parent) : hashes[entry - 1];
        if (slot >= node.count
            || hashes[entry] != extend(above, node.tokens[slot])
            || bucket(hashes[entry], slot < node.ready) != bucket
            || seen.get(entry)) {
          throw new IllegalStateException(
              "token " + slot + " of chunk " + node.chunk + " is not indexed as it should be");
        }
        seen.set(entry);
      }
    }
    if (seen.cardinality() != tokens) {
      throw new IllegalStateException(seen.cardinality() + " of " + tokens + " tokens are indexed");
    }
  }

  private int entry(Node node, int slot) {
    return node.chunk * chunkTokens + slot;
  }

  private void link(int entry, int bucket) {
    int head = heads[bucket];
    next[entry] = head;
    previous[entry] = -1;
    if (head >= 0) {
      previous[head] = entry;
    }
    heads[bucket] = entry;
  }

  private void unlink(int entry, int bucket) {
    int before = previous[entry];
    int after = next[entry];
    if (before >= 0) {
      next[before] = after;
    } else {
      heads[bucket] = after;
    }
    if (after >= 0) {
      previous[after] = before;
    }
  }

  /**
   * Ready tokens and those in flight have buckets of their own: many of one do not slow the other.
   */
  private int bucket(int hash, boolean ready) {
    int h = (ready ? ~hash : hash) * 0x9e3779b1; // spread: the table is smaller than the hash
    return (h ^ h >>> 15) & heads.length - 1;
  }
}
