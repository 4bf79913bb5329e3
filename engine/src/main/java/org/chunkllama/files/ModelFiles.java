package org.chunkllama.files;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.chunkllama.error.ModelFileException;

/** Tells the formats apart. */
final class ModelFiles {
  private ModelFiles() {}

  static ModelFile open(Path path, Progress progress) {
    if (!Files.exists(path)) {
      throw new ModelFileException(path + " does not exist; check the path");
    }
    if (Files.isDirectory(path)) {
      return openFolder(path, progress);
    }
    if (path.getFileName().toString().endsWith(".safetensors")) {
      throw new ModelFileException(
          path + " holds weights only; give the folder that it lies in, with config.json");
    }
    return GgufModel.open(path, progress);
  }

  private static ModelFile openFolder(Path folder, Progress progress) {
    if (HfModel.isOne(folder)) {
      return HfModel.open(folder, progress);
    }
    List<Path> ggufs = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.gguf")) {
      files.forEach(ggufs::add);
    } catch (IOException e) {
      throw new ModelFileException(
          folder + " cannot be read (" + e.getMessage() + "); check its permissions", e);
    }
    Collections.sort(ggufs);
    if (ggufs.size() > 1) {
      throw new ModelFileException(
          folder
              + " holds "
              + ggufs.size()
              + " GGUF files; give one, for example "
              + ggufs.getFirst());
    }
    if (ggufs.isEmpty()) {
      throw new ModelFileException(
          folder + " is no model: neither config.json nor a .gguf file is in it; check the path");
    }
    return GgufModel.open(ggufs.getFirst(), progress);
  }
}
