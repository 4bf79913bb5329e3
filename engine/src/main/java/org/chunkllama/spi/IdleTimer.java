package org.chunkllama.spi;

/** What a backend offers that knows how long its device stands still between steps. */
public interface IdleTimer {
  /**
   * Time between the end of one step's draws and the first work of the next step on the device: the
   * median since the last call, in microseconds. NaN if no two steps followed each other, and at
   * the first call, from which on times are taken.
   */
  double idleMicros();
}
