package org.chunkllama.sample;

/** Why a completion ended. */
public enum FinishReason {
  /** An end-of-sequence token, a stop id or a stop string. */
  STOP,
  /** The token limit or the model's context. */
  LENGTH,
  /** The caller closed it. */
  CANCELLED
}
