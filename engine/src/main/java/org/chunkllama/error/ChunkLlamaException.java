package org.chunkllama.error;

import org.jspecify.annotations.Nullable;

/**
 * Base of all errors that a caller can act on. The message is one clear line that says what to do.
 */
public abstract sealed class ChunkLlamaException extends RuntimeException
    permits ContextLengthException,
        DeadlineException,
        DeviceException,
        DownloadException,
        InvalidRequestException,
        ModelFileException,
        ModelOutputException,
        PoolExhaustedException,
        QueueFullException,
        ShuttingDownException,
        TemplateException,
        TenantLimitException,
        UnsupportedModelException {
  private static final long serialVersionUID = 1L;

  ChunkLlamaException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
