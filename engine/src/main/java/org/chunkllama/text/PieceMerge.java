package org.chunkllama.text;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.function.ObjIntConsumer;
import org.jspecify.annotations.Nullable;

/** One run of SentencePiece's merging over one text. */
final class PieceMerge {
  private static final int END = -1;

  /** Two neighbours that join to the piece {@code text}, {@code size} characters long. */
  private record Pair(float score, int left, int right, int size, String text)
      implements Comparable<Pair> {
    @Override
    public int compareTo(Pair other) {
      int byScore = Float.compare(other.score, score);
      return byScore != 0 ? byScore : Integer.compare(left, other.left);
    }
  }

  private final String text;
  private final Map<String, Integer> pieces;
  private final float[] scores;
  private final BitSet unused;

  // Symbols as a linked list; [start, start + size) of the text; size 0 = joined to its left.
  private final int[] start;
  private final int[] size;
  private final int[] previous;
  private final int[] next;

  private final PriorityQueue<Pair> queue = new PriorityQueue<>();

  /** The two parts of unused pieces that were made: they are taken apart in the end. */
  private final Map<String, Integer> leftSizes = new HashMap<>();

  /**
   * A run over {@code text}.
   *
   * @param scores by id
   * @param unused ids that may be made but not given out
   */
  PieceMerge(String text, Map<String, Integer> pieces, float[] scores, BitSet unused) {
    this.text = text;
    this.pieces = pieces;
    this.scores = scores;
    this.unused = unused;
    int count = text.codePointCount(0, text.length());
    start = new int[count];
    size = new int[count];
    previous = new int[count];
    next = new int[count];
    for (int i = 0, at = 0; i < count; i++, at += size[i - 1]) {
      start[i] = at;
      size[i] = Character.charCount(text.codePointAt(at));
      previous[i] = i - 1;
      next[i] = i + 1 < count ? i + 1 : END;
    }
  }

  /** Gives out the pieces from left to right with their ids, -1 for what is not a piece. */
  void run(ObjIntConsumer<String> out) {
    for (int i = 1; i < start.length; i++) {
      offer(i - 1, i);
    }
    for (Pair pair = queue.poll(); pair != null; pair = queue.poll()) {
      join(pair);
    }
    for (int i = start.length == 0 ? END : 0; i != END; i = next[i]) {
      give(text.substring(start[i], start[i] + size[i]), out);
    }
  }

  private void join(Pair pair) {
    int left = pair.left();
    int right = pair.right();
    if (size[left] == 0 || size[right] == 0 || size[left] + size[right] != pair.size()) {
      return; // one of the two has been joined to another since
    }
    size[left] += size[right];
    size[right] = 0;
    next[left] = next[right];
    if (next[left] != END) {
      previous[next[left]] = left;
    }
    offer(previous[left], left);
    offer(left, next[left]);
  }

  private void offer(int left, int right) {
    if (left < 0 || right == END) {
      return;
    }
    int together = size[left] + size[right];
    String piece = text.substring(start[left], start[left] + together);
    Integer id = pieces.get(piece);
    if (id != null) {
      queue.add(new Pair(scores[id], left, right, together, piece));
      if (unused.get(id)) {
        leftSizes.put(piece, size[left]);
      }
    }
  }

  private void give(String piece, ObjIntConsumer<String> out) {
    @Nullable Integer id = pieces.get(piece);
    if (id != null && unused.get(id)) {
      Integer leftSize = leftSizes.get(piece);
      if (leftSize != null) {
        give(piece.substring(0, leftSize), out);
        give(piece.substring(leftSize), out);
        return;
      }
    }
    out.accept(piece, id == null ? -1 : id);
  }
}
