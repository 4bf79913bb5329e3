package org.chunkllama.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.LayoutWrappingEncoder;
import ch.qos.logback.core.spi.ContextAwareBase;
import org.slf4j.LoggerFactory;

/**
 * Logging to standard error, in the form of {@link LogLayout}: INFO for our own loggers, WARN for
 * all others. Found by logback as a service; code, because parsing XML would take a tenth of a
 * second.
 */
public final class LoggingSetup extends ContextAwareBase implements Configurator {
  /** Parent of all our loggers. */
  private static final String OURS = "org.chunkllama";

  /** How much is logged. */
  enum Verbosity {
    QUIET,
    NORMAL,
    VERBOSE
  }

  @Override
  public ExecutionStatus configure(LoggerContext context) {
    LogLayout layout = new LogLayout(context.getLogger(OURS));
    layout.setContext(context);
    layout.start();
    LayoutWrappingEncoder<ILoggingEvent> encoder = new LayoutWrappingEncoder<>();
    encoder.setContext(context);
    encoder.setLayout(layout);
    encoder.start();
    ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
    appender.setContext(context);
    appender.setTarget("System.err");
    appender.setEncoder(encoder);
    appender.start();
    Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    root.setLevel(Level.WARN);
    root.addAppender(appender);
    context.getLogger(OURS).setLevel(Level.INFO);
    // It logs what clients send wrongly with a stack trace: anybody could fill the log.
    context.getLogger("io.helidon").setLevel(Level.ERROR);
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }

  /** Applies {@code --verbose} and {@code --quiet}. */
  static void apply(Verbosity verbosity) {
    if (verbosity != Verbosity.NORMAL
        && LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
      context.getLogger(OURS).setLevel(verbosity == Verbosity.VERBOSE ? Level.DEBUG : Level.WARN);
    }
  }
}
