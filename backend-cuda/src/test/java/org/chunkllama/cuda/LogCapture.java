package org.chunkllama.cuda;

import java.text.MessageFormat;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** Warnings of a class while it is open. */
final class LogCapture extends Handler implements AutoCloseable {
  private final Logger logger;
  private final List<String> warnings;

  LogCapture(Class<?> source, List<String> warnings) {
    this.logger = Logger.getLogger(source.getName());
    this.warnings = warnings;
    logger.addHandler(this);
  }

  @Override
  public void publish(LogRecord entry) {
    if (entry.getLevel().intValue() >= Level.WARNING.intValue()) {
      warnings.add(MessageFormat.format(entry.getMessage(), entry.getParameters()));
    }
  }

  @Override
  public void flush() {}

  @Override
  public void close() {
    logger.removeHandler(this);
  }
}
