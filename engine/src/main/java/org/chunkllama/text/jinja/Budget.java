package org.chunkllama.text.jinja;

/**
 * Bounds what one rendering may do, so that a hostile template ends with an error rather than with
 * the memory, the stack or the afternoon. One unit of work is a character handled; an item of a
 * list is eight and a node of the tree ten.
 */
final class Budget {
  /** Far above what real templates need: a chat of a million characters takes about a tenth. */
  private static final long WORK_MAX = 100_000_000;

  /** Nested nodes, macro calls included; real templates stay below 200. */
  private static final int DEPTH_MAX = 1000;

  private static final int NODE = 10;
  private static final int ITEM = 8;

  /** A search for a text of this length is linear; for longer ones the worst case is not. */
  private static final int SHORT_SEARCH = 16;

  private long work;
  private int depth;

  /** Accounts for characters that are about to be handled; negative counts as none. */
  void spend(long units) {
    work += Math.max(0, Math.min(units, WORK_MAX + 1));
    if (work > WORK_MAX) {
      throw new JinjaError(
          "the template does too much: it loops too often or makes texts or lists too long");
    }
  }

  /** {@code count} times {@code size}, both not negative, without overflow. */
  void spend(long count, long size) {
    spend(size != 0 && count > WORK_MAX / size ? WORK_MAX + 1 : count * size);
  }

  void spendItems(long items) {
    spend(Math.max(0, items), ITEM);
  }

  /** A search for {@code part} characters among {@code length}. */
  void spendSearch(long length, long part) {
    spend(length, Math.max(1, part / SHORT_SEARCH));
  }

  /** What {@code value} costs to look through: its characters, where it is a string. */
  void spendOn(Object value) {
    if (value instanceof String text) {
      spend(text.length());
    }
  }

  /** Goes into a node; each is followed by {@link #leave}. */
  void enter() {
    spend(NODE);
    if (++depth > DEPTH_MAX) {
      throw new JinjaError("the template nests too deep, or a macro calls itself without end");
    }
  }

  void leave() {
    depth--;
  }
}
