package org.chunkllama.cuda.driver;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * What one owner made and gives back: the last made first, all of it, whatever one part throws. A
 * constructor adds what it makes, and closes it if it fails half way.
 */
public final class Owned implements AutoCloseable {
  private final Deque<AutoCloseable> parts = new ArrayDeque<>();

  /** Nothing is owned at first. */
  public Owned() {}

  /** {@code part}, closed with this. */
  public <T extends AutoCloseable> T add(T part) {
    parts.push(part);
    return part;
  }

  /** {@code part} is closed by somebody else. */
  public void forget(AutoCloseable part) {
    parts.remove(part);
  }

  /** Closes all because of {@code failure}, which takes along what closing throws. */
  public void closeAfter(Throwable failure) {
    close(this, failure);
  }

  /** The same of one part, which nobody owns yet. */
  public static void close(AutoCloseable part, Throwable failure) {
    try {
      part.close();
    } catch (Throwable e) {
      failure.addSuppressed(e);
    }
  }

  /** Closes all of {@code parts} as {@link #close} does. */
  public static void closeAll(Collection<? extends AutoCloseable> parts) {
    Owned all = new Owned();
    parts.forEach(all::add);
    all.close();
  }

  /** Closes all once; the first failure is thrown at the end, the others with it. */
  @Override
  public void close() {
    @Nullable Throwable first = null;
    while (!parts.isEmpty()) {
      try {
        parts.pop().close();
      } catch (Throwable e) {
        if (first == null) {
          first = e;
        } else {
          first.addSuppressed(e);
        }
      }
    }
    switch (first) {
      case null -> {}
      case RuntimeException known -> throw known;
      case Error known -> throw known;
      default -> throw new IllegalStateException(first);
    }
  }
}
