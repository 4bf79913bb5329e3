package org.chunkllama.files;

import org.chunkllama.model.RopeScaling;

/** The longest sequence that a model computes rightly. */
final class ContextLimit {
  private ContextLimit() {}

  /** The stated context, or what YaRN stretches the trained one to, whichever is longer. */
  static int stretched(int stated, RopeScaling scaling) {
    if (scaling instanceof RopeScaling.Yarn yarn) {
      double stretched = Math.floor(yarn.factor() * yarn.originalContext());
      return (int) Math.min(Math.max(stated, stretched), ModelLayout.MAX_CONTEXT);
    }
    return stated;
  }

  /**
   * Attention here sees the whole sequence; a model with a sliding window computes the same only as
   * long as the sequence fits the window, so that is the limit.
   *
   * @param window tokens; 0 for none
   */
  static int within(int window, int context, String file, Progress progress) {
    if (window == 0 || window >= context) {
      return context;
    }
    progress.note(
        file
            + ": attention slides over "
            + window
            + " tokens, which is not supported; the context"
            + " is limited to that ("
            + context
            + " stated)");
    return window;
  }
}
