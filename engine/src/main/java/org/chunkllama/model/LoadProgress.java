package org.chunkllama.model;

/** Told how far loading has come. Called on the loading thread; quick. */
@FunctionalInterface
public interface LoadProgress {
  /** {@code done} of {@code total} weights are on the device. */
  void loaded(int done, int total);
}
