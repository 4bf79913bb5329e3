package org.chunkllama.schedule;

import org.chunkllama.sample.FinishReason;
import org.chunkllama.sample.TokenLogprobs;
import org.jspecify.annotations.Nullable;

/**
 * Told what becomes of a request, on the engine thread: must not block. What it throws fails its
 * request and no other. After {@link #done} or {@link #failed} nothing more comes.
 */
public interface RequestListener {
  /**
   * It runs.
   *
   * @param cachedTokens prompt tokens whose KV was there or comes from another request
   */
  void admitted(int cachedTokens);

  /**
   * A token was generated. A preempted request does not repeat tokens.
   *
   * @param index which completion
   * @param text whole characters that can be shown now; often empty
   * @param logprobs null if not asked for
   */
  void token(int index, int token, String text, @Nullable TokenLogprobs logprobs);

  /**
   * A completion ended.
   *
   * @param rest text that was held back
   * @param stoppedBy the stop string that ended it, or empty
   * @param score of a beam, or the mean log probability where the best are chosen, else 0
   */
  void finished(int index, String rest, FinishReason reason, String stoppedBy, double score);

  /** All completions ended. */
  void done();

  /** The request failed; completions that did not end are lost. */
  void failed(RuntimeException error);
}
