package org.chunkllama.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.StackTraceElementProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.LayoutBase;
import org.jspecify.annotations.Nullable;

/**
 * An event as text: a line, and what was thrown. Of errors the causes with their first frames, of
 * warnings their class and message; all of it where the logger is at DEBUG.
 */
final class LogLayout extends LayoutBase<ILoggingEvent> {
  private static final int FRAMES = 4;

  private final Logger verbosity;

  LogLayout(Logger verbosity) {
    this.verbosity = verbosity;
  }

  @Override
  public String doLayout(ILoggingEvent event) {
    StringBuilder text = new StringBuilder("chunkllama: ");
    if (event.getLevel() != Level.INFO) {
      text.append(event.getLevel()).append(": ");
    }
    text.append(event.getFormattedMessage()).append(System.lineSeparator());
    @Nullable IThrowableProxy thrown = event.getThrowableProxy();
    if (thrown == null) {
      return text.toString();
    }
    if (verbosity.isDebugEnabled()) {
      return text.append(ThrowableProxyUtil.asString(thrown)).toString();
    }
    boolean error = event.getLevel().isGreaterOrEqual(Level.ERROR);
    String before = "  ";
    for (IThrowableProxy t = thrown; t != null; t = t.isCyclic() ? null : t.getCause()) {
      text.append(before).append(t.getClassName()).append(": ").append(t.getMessage());
      text.append(System.lineSeparator());
      if (error) {
        frames(text, t.getStackTraceElementProxyArray());
      }
      before = "  caused by ";
    }
    return text.toString();
  }

  private static void frames(StringBuilder text, StackTraceElementProxy @Nullable [] frames) {
    for (int i = 0; frames != null && i < Math.min(FRAMES, frames.length); i++) {
      text.append("    ").append(frames[i].getSTEAsString()).append(System.lineSeparator());
    }
  }
}
