package org.chunkllama;

import java.nio.file.Path;
import org.chunkllama.error.DownloadException;
import org.chunkllama.files.ModelLocator;
import org.chunkllama.files.Progress;
import org.junit.jupiter.api.Assumptions;

/** The model that runs where none is named. */
public final class DefaultModel {
  private static final String NAME = "smollm2-135m";

  private DefaultModel() {}

  /**
   * Its file, fetched on first use. Where no source is reached the calling test is skipped, with a
   * message; with the environment variable CI set it fails.
   */
  public static Path require() {
    try {
      return ModelLocator.resolve(NAME, Progress.NONE);
    } catch (DownloadException e) {
      if (System.getenv("CI") != null) {
        throw e;
      }
      return Assumptions.abort("skipped: " + e.getMessage());
    }
  }
}
