package org.chunkllama.files;

/**
 * One source did not give the file; another may. The message is a clause without a full stop. What
 * no source can help with (a full disk) is a {@link org.chunkllama.error.DownloadException} at
 * once.
 */
final class SourceFailedException extends Exception {
  private static final long serialVersionUID = 1L;

  SourceFailedException(String message) {
    super(message);
  }

  SourceFailedException(String message, Throwable cause) {
    super(message, cause);
  }
}
