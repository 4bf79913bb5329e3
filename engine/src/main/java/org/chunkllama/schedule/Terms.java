package org.chunkllama.schedule;

/**
 * On what terms a request is served.
 *
 * @param tenant whose limits it counts against
 * @param priority higher goes first
 * @param deadlineNanos {@link System#nanoTime} at which it fails if it has not ended; {@link
 *     #NO_DEADLINE} = never
 */
public record Terms(String tenant, int priority, long deadlineNanos) {
  /** Highest priority; the lowest is its opposite. */
  public static final int MOST_PRIORITY = 1000;

  /** How many later requests a level of priority passes at most. */
  public static final int ARRIVALS_PER_PRIORITY = 64;

  /** Value of {@link #deadlineNanos} for none. */
  public static final long NO_DEADLINE = Long.MAX_VALUE;

  /** Nobody's, of priority 0, without deadline. */
  public static final Terms NONE = new Terms("", 0, NO_DEADLINE);

  boolean hasDeadline() {
    return deadlineNanos != NO_DEADLINE;
  }
}
