package org.chunkllama.guide;

/** A guide made ready for one vocabulary. */
public final class CompiledGuide {
  CompiledGuide() {}
}
