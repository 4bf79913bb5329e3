package org.chunkllama.server.openai;

import org.chunkllama.sample.FinishReason;

/** Why answers end, in OpenAI's words. */
final class Finish {
  private Finish() {}

  static String reason(FinishReason reason) {
    return switch (reason) {
      case STOP -> "stop";
      case LENGTH -> "length";
      case CANCELLED -> throw new IllegalArgumentException("a cancelled answer is an error");
    };
  }
}
