package org.chunkllama.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.chunkllama.files.Progress;
import org.jspecify.annotations.Nullable;

/** Progress on a terminal: a bar, drawn only for tasks that take long enough to wonder. */
final class ProgressBars implements Progress {
  private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(400);
  private static final int DEFAULT_WIDTH = 80;

  private final Console console;
  private String what = "";
  private Unit unit = Unit.BYTES;
  private long total;
  private long beginNanos;
  private @Nullable ProgressBar bar;

  ProgressBars(Console console) {
    this.console = console;
  }

  @Override
  public void begin(String what, long total, Unit unit) {
    this.what = what;
    this.total = total;
    this.unit = unit;
    beginNanos = System.nanoTime();
  }

  @Override
  public void advance(long done) {
    if (bar == null && System.nanoTime() - beginNanos > PATIENCE_NANOS) {
      bar = draw();
    }
    if (bar != null) {
      bar.stepTo(done);
    }
  }

  private ProgressBar draw() {
    ProgressBarBuilder builder =
        new ProgressBarBuilder()
            .setTaskName(what)
            .setInitialMax(total)
            .setStyle(ProgressBarStyle.UNICODE_BLOCK)
            .setUpdateIntervalMillis(200)
            .setConsumer(new ConsoleProgressBarConsumer(console.err(), terminalWidth()));
    if (unit == Unit.BYTES) {
      builder.setUnit(" MiB", 1 << 20).showSpeed();
    }
    return builder.build();
  }

  /** As {@code stty} tells; the bar library's own way loads native code. */
  private static int terminalWidth() {
    try {
      Process stty =
          new ProcessBuilder("stty", "size").redirectInput(ProcessBuilder.Redirect.INHERIT).start();
      String rowsColumns =
          new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
      int columns = Integer.parseInt(rowsColumns.substring(rowsColumns.indexOf(' ') + 1));
      return Math.max(20, columns);
    } catch (IOException | NumberFormatException e) {
      return DEFAULT_WIDTH;
    }
  }

  @Override
  public void end() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }

  @Override
  public void note(String message) {
    console.say(message);
  }
}
