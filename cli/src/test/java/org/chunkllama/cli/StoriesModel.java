package org.chunkllama.cli;

import org.chunkllama.SharedAssets;

/** A real model of 260,032 parameters. */
final class StoriesModel {
  private StoriesModel() {}

  /** Its GGUF file. The calling test is skipped, with a message, if it is not there. */
  static String path() {
    return SharedAssets.require("models/stories260K/tinyllamas-stories-260k-f32.gguf").toString();
  }
}
