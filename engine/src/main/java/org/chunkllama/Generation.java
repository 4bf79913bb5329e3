package org.chunkllama;

import java.util.Iterator;

/**
 * An answer in the making. Iterate it for the text of the first completion as it comes, or {@link
 * #pieces} for all completions with ids and log probabilities, or wait for {@link #result}. One
 * consumer thread. Closing an unfinished one cancels it within a step; a finished one needs no
 * closing.
 */
public interface Generation extends Iterable<String>, AutoCloseable {
  /**
   * Text of the first completion, piece by piece; a second call goes on where the first stopped.
   * Beams come as one piece at the end.
   *
   * @throws org.chunkllama.error.ChunkLlamaException from {@code hasNext} if the request failed
   */
  @Override
  Iterator<String> iterator();

  /** All completions' pieces in the order in which they come. Use this or the iterator. */
  Iterable<GenerationPiece> pieces();

  /**
   * Waits for the end.
   *
   * @throws org.chunkllama.error.ChunkLlamaException if the request failed
   */
  GenerationResult result();

  /** True once finished, failed or cancelled: {@link #result} returns at once. */
  boolean isDone();

  /** Cancels what is not finished. */
  @Override
  void close();
}
