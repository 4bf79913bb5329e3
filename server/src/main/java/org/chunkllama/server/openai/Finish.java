package org.chunkllama.server.openai;

import org.chunkllama.sample.FinishReason;

/** Why answers end, in OpenAI's words. */
public final class Finish {
  private Finish() {}

  /** Of an answer that may hold calls. */
  public static String reason(FinishReason reason, boolean calls) {
    return calls && reason == FinishReason.STOP ? "tool_calls" : reason(reason);
  }

  public static String reason(FinishReason reason) {
    return switch (reason) {
      case STOP -> "stop";
      case LENGTH -> "length";
      case CANCELLED -> throw new IllegalArgumentException("a cancelled answer is an error");
    };
  }
}
