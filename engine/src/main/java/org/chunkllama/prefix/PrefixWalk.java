package org.chunkllama.prefix;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds the longest computed prefix of a prompt: down whole chunks, then the child with the longest
 * common prefix. Changes nothing; its fields hold the last answer. Linear in the prompt: a look-up
 * per whole chunk, log2(chunkTokens) for the rest.
 */
final class PrefixWalk {
  private final SlotIndex index;
  private final Node[] nodes;
  private final int chunkTokens;
  private final int[] slotHash; // [chunkTokens] of the current chunk of the prompt

  /** Deepest node whose whole chunk matched; the root if none did. */
  Node node = Node.root("");

  /** Whole chunks matched. */
  int chunks;

  /**
   * A child of {@link #node} that begins with the next {@link #overlap} tokens; null if there is
   * none.
   */
  @Nullable Node source;

  /** Tokens matched inside {@link #source}; less than a chunk. */
  int overlap;

  PrefixWalk(ChunkStore store) {
    index = store.index;
    nodes = store.nodes;
    chunkTokens = store.chunkTokens;
    slotHash = new int[store.chunkTokens];
  }

  int readyTokens() {
    return chunks * chunkTokens + overlap;
  }

  /** Matches {@code tokens[0, limit)} below {@code root}. */
  void find(Node root, int[] tokens, int limit) {
    node = root;
    chunks = 0;
    while (true) {
      int from = chunks * chunkTokens;
      int length = Math.min(chunkTokens, limit - from);
      hashSlots(index.hash(node), tokens, from, length);
      int child = length < chunkTokens ? -1 : find(node, tokens, from, length, true, -1);
      if (child < 0) {
        findOverlap(tokens, from, length);
        return;
      }
      node = nodes[child];
      chunks++;
    }
  }

  private void findOverlap(int[] tokens, int from, int length) {
    source = null;
    overlap = 0;
    // whoever has a longer computed prefix in common has the shorter ones too: search over lengths
    int longest = length;
    while (overlap < longest) {
      int middle = (overlap + longest + 1) >>> 1;
      int child = find(node, tokens, from, middle, true, -1);
      if (child >= 0) {
        source = nodes[child];
        overlap = middle;
      } else {
        longest = middle - 1;
      }
    }
  }

  /**
   * Tokens of {@code tokens[readyTokens, limit)} that live sequences hold in flight, after {@link
   * #find} with the same arguments. Follows all sequences that hold the same tokens side by side,
   * level by level: the cost is linear in the prompt times their number.
   */
  int pending(Node root, int[] tokens, int limit) {
    int reached = readyTokens();
    int hash = index.hash(root);
    List<Node> level = List.of(root);
    for (int from = 0; !level.isEmpty(); from += chunkTokens) {
      int length = Math.min(chunkTokens, limit - from);
      hashSlots(hash, tokens, from, length);
      List<Node> below = new ArrayList<>();
      for (Node above : level) {
        reached = Math.max(reached, from + longestInFlight(above, tokens, from, length));
        if (length == chunkTokens) {
          addWhole(below, above, tokens, from, true);
          addWhole(below, above, tokens, from, false);
        }
      }
      level = below;
      hash = slotHash[chunkTokens - 1];
    }
    return reached - readyTokens();
  }

  private int longestInFlight(Node above, int[] tokens, int from, int length) {
    int longest = length;
    // a token in flight may follow ready ones, so a shorter match says nothing about longer ones
    while (longest > 0 && find(above, tokens, from, longest, false, -1) < 0) {
      longest--;
    }
    return longest;
  }

  private void addWhole(List<Node> found, Node above, int[] tokens, int from, boolean ready) {
    int child = find(above, tokens, from, chunkTokens, ready, -1);
    while (child >= 0) {
      found.add(nodes[child]);
      child = find(above, tokens, from, chunkTokens, ready, child);
    }
  }

  private int find(Node parent, int[] tokens, int from, int length, boolean ready, int after) {
    return index.find(parent, slotHash[length - 1], tokens, from, length, ready, after);
  }

  private void hashSlots(int hash, int[] tokens, int from, int length) {
    int h = hash;
    for (int i = 0; i < length; i++) {
      h = index.extend(h, tokens[from + i]);
      slotHash[i] = h;
    }
  }
}
