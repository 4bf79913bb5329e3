package org.chunkllama.cli;

import java.nio.file.Path;
import org.chunkllama.bench.ModelShape;
import org.chunkllama.files.ModelFile;
import org.chunkllama.files.ModelLocator;
import org.chunkllama.files.Progress;
import org.chunkllama.model.ModelConfig;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** A model of known shape, where no model is named. */
final class ShapeOption {
  @Option(
      names = "--shape",
      paramLabel = "NAME",
      defaultValue = "llama-2-7b",
      description =
          "Where no model is named: llama-2-7b, llama-3.1-8b, llama-3.2-1b or smollm2-135m. Default:"
              + " ${DEFAULT-VALUE}.")
  private String name = "llama-2-7b";

  /** The shape's name. */
  String name() {
    return name;
  }

  /**
   * The configuration of {@code model}, of which config.json is enough, or of the shape.
   *
   * @throws org.chunkllama.error.InvalidRequestException if there is no such shape
   */
  ModelConfig config(@Nullable String model, Progress progress) {
    if (model == null) {
      return ModelShape.of(name).config();
    }
    Path path = ModelLocator.resolveConfig(model, progress);
    try (ModelFile file = ModelFile.openConfig(path, progress)) {
      return file.config();
    }
  }
}
