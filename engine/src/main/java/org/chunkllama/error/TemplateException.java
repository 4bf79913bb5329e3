package org.chunkllama.error;

import org.jspecify.annotations.Nullable;

/** A chat template is broken or refused the messages. */
public final class TemplateException extends ChunkLlamaException {
  private static final long serialVersionUID = 1L;

  public TemplateException(String message) {
    super(message, null);
  }

  public TemplateException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
