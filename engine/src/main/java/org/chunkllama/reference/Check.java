package org.chunkllama.reference;

/** Argument checks that say what was given and what is needed. */
final class Check {
  private Check() {}

  @SuppressWarnings("AnnotateFormatMethod") // would need Error Prone's annotations at run time
  static void that(boolean condition, String format, Object... values) {
    if (!condition) {
      throw new IllegalArgumentException(format.formatted(values));
    }
  }
}
