package org.chunkllama.files;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.chunkllama.error.ModelFileException;

/** Maps whole files, of any size. */
final class MappedFile {
  private MappedFile() {}

  /** All bytes of {@code file}, read-only, until {@code arena} closes. */
  static MemorySegment map(Path file, Arena arena) {
    if (Files.isDirectory(file)) {
      throw new ModelFileException(file + " is a folder; give a file");
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
    } catch (NoSuchFileException e) {
      throw new ModelFileException(file + " does not exist; check the path", e);
    } catch (IOException e) {
      throw new ModelFileException(
          file + " cannot be read (" + e.getMessage() + "); check its permissions", e);
    }
  }
}
