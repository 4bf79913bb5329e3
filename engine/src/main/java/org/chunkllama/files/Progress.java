package org.chunkllama.files;

/**
 * Told how far a download or a load has come. Called from one thread at a time, often; quick.
 *
 * <p>One task at a time: {@code begin}, {@code advance} any number of times, {@code end} (also when
 * the task failed). {@code note} may come at any time.
 */
public interface Progress {
  /** What is counted. */
  enum Unit {
    BYTES,
    TENSORS,
    SECONDS
  }

  /** Says nothing. */
  Progress NONE =
      new Progress() {
        @Override
        public void begin(String what, long total, Unit unit) {}

        @Override
        public void advance(long done) {}

        @Override
        public void end() {}

        @Override
        public void note(String message) {}
      };

  /**
   * A task begins.
   *
   * @param what one short line for people
   * @param total units to do, or -1 if unknown
   */
  void begin(String what, long total, Unit unit);

  /** {@code done} units of the task are done in all; never falls, except where a resume failed. */
  void advance(long done);

  /** The task is over. */
  void end();

  /** One line that people should see: a source that was not reached, a limit that holds. */
  void note(String message);
}
