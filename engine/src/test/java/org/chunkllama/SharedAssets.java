package org.chunkllama;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/**
 * Models and texts that tests use but that are not part of this repository: a folder {@code
 * shared/assets} beside the checkout, or where the environment variable CHUNKLLAMA_SHARED says.
 */
public final class SharedAssets {
  private SharedAssets() {}

  /**
   * The file or folder at {@code relative} in the assets. The calling test is skipped, with a
   * message, if it is not there.
   */
  public static Path require(String relative) {
    Path asset = folder().resolve("assets").resolve(relative);
    Assumptions.assumeTrue(
        Files.exists(asset), () -> "skipped: " + asset + " is absent (set CHUNKLLAMA_SHARED)");
    return asset;
  }

  private static Path folder() {
    String stated = System.getenv("CHUNKLLAMA_SHARED");
    if (stated != null) {
      return Path.of(stated);
    }
    // Tests run in their module's folder; the checkout is one above, the assets beside that.
    Path module = Path.of("").toAbsolutePath();
    Path fromModule = module.resolveSibling("../shared").normalize();
    return Files.isDirectory(fromModule) ? fromModule : module.resolveSibling("shared");
  }
}
