package org.chunkllama.guide;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.chunkllama.text.Tokenizer;

/**
 * The bytes of a vocabulary as a tree, its nodes in depth-first order. Control tokens are not in
 * it. Read only once made.
 */
final class TokenTrie {
  final int vocabulary;
  final byte[][] bytes; // [vocabulary]

  /** {@code [nodes]} the byte that leads to a node. */
  final byte[] label;

  /** {@code [nodes]} bytes from the root. */
  final int[] depth;

  /** {@code [nodes]} index of the first node that is not below it. */
  final int[] end;

  /** {@code [nodes + 1]} a node's tokens are {@code tokens[firstToken[i], firstToken[i + 1])}. */
  final int[] firstToken;

  final int[] tokens;
  final int depthMax;

  TokenTrie(Tokenizer tokenizer) {
    vocabulary = tokenizer.vocabularySize();
    bytes = new byte[vocabulary][];
    for (int id = 0; id < vocabulary; id++) {
      bytes[id] = tokenizer.isSpecial(id) ? new byte[0] : tokenizer.bytes(id);
    }
    tokens =
        IntStream.range(0, vocabulary)
            .filter(id -> bytes[id].length > 0)
            .boxed()
            .sorted(Comparator.comparing(id -> bytes[id], Arrays::compareUnsigned))
            .mapToInt(Integer::intValue)
            .toArray();
    int nodes = 0;
    byte[] previous = {};
    for (int token : tokens) {
      nodes += bytes[token].length - common(previous, bytes[token]);
      previous = bytes[token];
    }
    label = new byte[nodes];
    depth = new int[nodes];
    end = new int[nodes];
    firstToken = new int[nodes + 1];
    depthMax = fill();
  }

  private int fill() {
    int deepest = 0;
    int node = 0;
    byte[] previous = {};
    int[] path = new int[Arrays.stream(tokens).map(t -> bytes[t].length).max().orElse(0) + 1];
    for (int t = 0; t < tokens.length; t++) {
      byte[] text = bytes[tokens[t]];
      int same = common(previous, text);
      for (int d = same; d < previous.length; d++) {
        end[path[d]] = node;
      }
      for (int d = same; d < text.length; d++) {
        path[d] = node;
        label[node] = text[d];
        depth[node] = d + 1;
        firstToken[node] = t;
        node++;
      }
      firstToken[node] = t + 1;
      deepest = Math.max(deepest, text.length);
      previous = text;
    }
    for (int d = 0; d < previous.length; d++) {
      end[path[d]] = node;
    }
    return deepest;
  }

  private static int common(byte[] a, byte[] b) {
    int mismatch = Arrays.mismatch(a, b);
    return mismatch < 0 ? a.length : mismatch;
  }

  int nodes() {
    return label.length;
  }

  /** The node below the root that {@code b} leads to, or -1. */
  int child(byte b) {
    for (int node = 0; node < nodes(); node = end[node]) {
      if (label[node] == b) {
        return node;
      }
    }
    return -1;
  }

  /** Bytes of a token; empty for control tokens and ids outside the vocabulary. */
  byte[] bytes(int token) {
    return token < vocabulary ? bytes[token] : new byte[0];
  }
}
