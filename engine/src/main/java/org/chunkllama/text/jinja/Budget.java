package org.chunkllama.text.jinja;

/**
 * Bounds what one rendering may do, so that a hostile template ends with an error rather than with
 * the memory, the stack or the afternoon. One unit of work is a character or list element handled;
 * a node of the tree is ten.
 */
final class Budget {
  /** Far above what real templates need: a chat of a million characters takes about a tenth. */
  private static final long WORK_MAX = 300_000_000;

  /** Nested nodes, macro calls included; real templates stay below 200. */
  private static final int DEPTH_MAX = 1000;

  private static final int NODE = 10;

  private long work;
  private int depth;

  /** Accounts for work that is about to be done. */
  void spend(long units) {
    work += units;
    if (work > WORK_MAX || work < 0) {
      throw new JinjaError(
          "the template does too much: it loops too often or makes texts or lists too long");
    }
  }

  /** {@code count} times {@code size}, both not negative, without overflow. */
  void spend(long count, long size) {
    spend(size != 0 && count > WORK_MAX / size ? WORK_MAX + 1 : count * size);
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
