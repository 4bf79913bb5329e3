package org.chunkllama.text;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import org.chunkllama.error.ModelFileException;

/**
 * SentencePiece's BPE: of all neighbouring pieces that join to a piece of the vocabulary, join
 * those of the highest score, leftmost first, until none is left. Characters without a piece become
 * bytes.
 *
 * <p>Written here, as it needs neither the native library nor merges derived from the scores: the
 * order of joining is SentencePiece's own. Takes time in proportion to the text times the logarithm
 * of its length.
 */
final class SentencePieceEncoder implements Encoder {
  private static final int NONE = -1;

  private final TokenizerSpec.Gguf spec;

  /** Ids of pieces that merging may reach: no control tokens and no bytes. */
  private final Map<String, Integer> pieces;

  private final int[] byteIds = new int[256]; // NONE where the vocabulary has no such byte
  private final BitSet unused = new BitSet();
  private final MarkedTokens controlAndUser;
  private final MarkedTokens userOnly;

  /**
   * Reads the vocabulary.
   *
   * @throws ModelFileException where there is not a score for each token
   */
  SentencePieceEncoder(TokenizerSpec.Gguf spec, GgufTokenTypes types) {
    int size = spec.tokens().size();
    if (spec.scores().length != size) {
      throw new ModelFileException(
          "tokenizer.ggml.scores has "
              + spec.scores().length
              + " entries for "
              + size
              + " tokens; download the model again");
    }
    this.spec = spec;
    this.pieces = HashMap.newHashMap(size);
    Arrays.fill(byteIds, NONE);
    var user = new HashMap<String, Integer>();
    var marked = new HashMap<String, Integer>();
    for (int id = 0; id < size; id++) {
      String token = spec.tokens().get(id);
      if (types.isControl(id)) {
        marked.putIfAbsent(token, id);
      } else if (types.isUserDefined(id)) {
        user.putIfAbsent(token, id);
      } else if (types.isByte(id)) {
        putByte(token, id);
      } else {
        pieces.putIfAbsent(token, id);
        unused.set(id, types.isUnused(id));
      }
    }
    marked.putAll(user);
    this.controlAndUser = new MarkedTokens(marked);
    this.userOnly = new MarkedTokens(user);
  }

  private void putByte(String token, int id) {
    int value = PieceBytes.byteValue(token);
    if (value < 0) {
      throw new ModelFileException(
          "token "
              + id
              + " is marked a byte but spelled '"
              + token
              + "'; download the model again");
    }
    byteIds[value] = id;
  }

  @Override
  public int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
    var ids = new IntList(text.length() / 3 + 8);
    if (addSpecial && spec.addBos() && spec.bosId() >= 0) {
      ids.add(spec.bosId());
    }
    // A space goes before the text and after each marked token, as in llama.cpp.
    boolean prefix = true;
    for (MarkedTokens.Part part : (parseSpecial ? controlAndUser : userOnly).split(text)) {
      if (part.id() >= 0) {
        ids.add(part.id());
        prefix = true;
      } else {
        String plain = prefix && spec.addSpacePrefix() ? " " + part.text() : part.text();
        encodePieces(plain.replace(' ', PieceBytes.SPACE), ids);
        prefix = false;
      }
    }
    if (addSpecial && spec.addEos() && !spec.eosIds().isEmpty()) {
      ids.add(spec.eosIds().getFirst());
    }
    return ids.toArray();
  }

  private void encodePieces(String text, IntList ids) {
    // A run of unknown characters is one unknown token; a vocabulary without one drops them.
    boolean[] afterUnknown = {false};
    new PieceMerge(text, pieces, spec.scores(), unused)
        .run((piece, id) -> {
          boolean known = id >= 0 || addBytes(piece, ids);
          if (id >= 0) {
            ids.add(id);
          } else if (!known && !afterUnknown[0] && spec.unknownId() >= 0) {
            ids.add(spec.unknownId());
          }
          afterUnknown[0] = !known;
        });
  }

  /** Adds {@code piece} as bytes; false, adding nothing, where the vocabulary lacks one. */
  private boolean addBytes(String piece, IntList ids) {
    byte[] bytes = piece.getBytes(StandardCharsets.UTF_8);
    for (byte b : bytes) {
      if (byteIds[b & 0xFF] == NONE) {
        return false;
      }
    }
    for (byte b : bytes) {
      ids.add(byteIds[b & 0xFF]);
    }
    return true;
  }

  @Override
  public void close() {}
}
