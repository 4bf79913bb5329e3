package org.chunkllama.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/**
 * A real model of 260,032 parameters, which is not part of this repository: in a folder {@code
 * shared} beside the checkout, or where the environment variable CHUNKLLAMA_SHARED says.
 */
final class StoriesModel {
  private static final String FILE = "assets/models/stories260K/tinyllamas-stories-260k-f32.gguf";

  private StoriesModel() {}

  /** Its GGUF file. The calling test is skipped, with a message, if it is not there. */
  static String path() {
    String stated = System.getenv("CHUNKLLAMA_SHARED");
    // Tests run in their module's folder; the checkout is one above, shared beside that.
    Path checkout = Path.of("").toAbsolutePath().resolve("..").normalize();
    Path file =
        (stated != null ? Path.of(stated) : checkout.resolveSibling("shared")).resolve(FILE);
    Assumptions.assumeTrue(
        Files.exists(file), () -> "skipped: " + file + " is absent (set CHUNKLLAMA_SHARED)");
    return file.toString();
  }
}
