package org.chunkllama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import org.junit.jupiter.api.Test;

/** What was thrown is in the log. */
class LogLayoutTest {
  private final LoggerContext context = new LoggerContext();
  private final Logger logger = context.getLogger("org.chunkllama");

  private String text(Level level, Throwable thrown) {
    ILoggingEvent event = new LoggingEvent("x", logger, level, "request r1 failed", thrown, null);
    return new LogLayout(logger).doLayout(event);
  }

  private static Throwable thrown() {
    return new IllegalStateException("outer", new ArithmeticException("by zero"));
  }

  @Test
  void errorsHaveTheirCausesWithAFewFrames() {
    logger.setLevel(Level.INFO);
    String text = text(Level.ERROR, thrown());
    assertThat(text)
        .startsWith("chunkllama: ERROR: request r1 failed")
        .contains("java.lang.IllegalStateException: outer")
        .contains("caused by java.lang.ArithmeticException: by zero")
        .contains("LogLayoutTest.thrown(LogLayoutTest.java:");
    assertThat(text.lines().count()).isLessThan(12);
  }

  @Test
  void warningsHaveClassAndMessage() {
    logger.setLevel(Level.INFO);
    assertThat(text(Level.WARN, thrown()).lines())
        .containsExactly(
            "chunkllama: WARN: request r1 failed",
            "  java.lang.IllegalStateException: outer",
            "  caused by java.lang.ArithmeticException: by zero");
  }

  @Test
  void verboseHasAllFrames() {
    logger.setLevel(Level.DEBUG);
    Throwable thrown = thrown();
    assertThat(text(Level.WARN, thrown).lines().filter(line -> line.startsWith("\tat ")).count())
        .isGreaterThan(10);
  }
}
