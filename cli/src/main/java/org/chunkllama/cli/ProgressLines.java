package org.chunkllama.cli;

import java.util.concurrent.TimeUnit;
import org.chunkllama.files.Progress;

/** Progress where there is no terminal: a line when a long task begins, every ten seconds, ends. */
final class ProgressLines implements Progress {
  private static final long FIRST_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long NEXT_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final Console console;
  private String what = "";
  private Unit unit = Unit.BYTES;
  private long total;
  private long done;
  private long beginNanos;
  private long nextNanos;
  private boolean said;

  ProgressLines(Console console) {
    this.console = console;
  }

  @Override
  public void begin(String what, long total, Unit unit) {
    this.what = what;
    this.total = total;
    this.unit = unit;
    done = 0;
    said = false;
    beginNanos = System.nanoTime();
    nextNanos = beginNanos + FIRST_NANOS;
  }

  @Override
  public void advance(long done) {
    this.done = done;
    long now = System.nanoTime();
    if (now - nextNanos >= 0) {
      nextNanos = now + NEXT_NANOS;
      said = true;
      console.say(what + ": " + state());
    }
  }

  private String state() {
    if (total <= 0) {
      return amount(done);
    }
    return "%s of %s (%d %%)".formatted(amount(done), amount(total), 100 * done / total);
  }

  private String amount(long count) {
    return switch (unit) {
      case BYTES -> Sizes.format(count);
      case TENSORS -> count + " tensors";
      case SECONDS -> count + " s";
    };
  }

  @Override
  public void end() {
    if (said) {
      long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - beginNanos);
      String how = done >= total ? "done" : "ended at " + amount(done);
      console.say("%s: %s after %d s".formatted(what, how, seconds));
    }
  }

  @Override
  public void note(String message) {
    console.say(message);
  }
}
