package org.chunkllama.text;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/** Tokens by id: spelling, bytes and whether they are control tokens. Immutable once built. */
final class Vocabulary {
  private static final byte[] NOTHING = {};

  private final String[] tokens;
  private final byte[][] bytes;
  private final BitSet special;
  private final Map<String, Integer> ids;

  private Vocabulary(String[] tokens, byte[][] bytes, BitSet special, Map<String, Integer> ids) {
    this.tokens = tokens;
    this.bytes = bytes;
    this.special = special;
    this.ids = ids;
  }

  int size() {
    return tokens.length;
  }

  /** Spelling; empty for an id that nothing was put at. */
  String token(int id) {
    return tokens[id];
  }

  int id(String token) {
    return ids.getOrDefault(token, -1);
  }

  boolean isSpecial(int id) {
    return special.get(id);
  }

  /** What {@code id} adds to the text; empty for control tokens and ids outside. Not a copy. */
  byte[] bytes(int id) {
    return id < 0 || id >= bytes.length ? NOTHING : bytes[id];
  }

  /** Collects tokens in any order; holes stay empty and are found by no spelling. */
  static final class Builder {
    private final String[] tokens;
    private final byte[][] bytes;
    private final BitSet special = new BitSet();
    private final Map<String, Integer> ids;

    Builder(int size) {
      tokens = new String[size];
      bytes = new byte[size][];
      ids = HashMap.newHashMap(size);
      for (int id = 0; id < size; id++) {
        tokens[id] = "";
        bytes[id] = NOTHING;
      }
    }

    Builder put(int id, String token, byte[] tokenBytes) {
      tokens[id] = token;
      bytes[id] = tokenBytes;
      special.clear(id);
      ids.putIfAbsent(token, id);
      return this;
    }

    Builder putSpecial(int id, String token) {
      put(id, token, NOTHING);
      special.set(id);
      return this;
    }

    Vocabulary build() {
      return new Vocabulary(tokens, bytes, special, ids);
    }
  }
}
