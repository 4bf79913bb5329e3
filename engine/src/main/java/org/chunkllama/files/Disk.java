package org.chunkllama.files;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.chunkllama.error.DownloadException;

/** The cache's side of downloads. */
final class Disk {
  private Disk() {}

  /** What to tell people when {@code folder} cannot be written to. */
  static DownloadException failure(Path folder, IOException cause) {
    String message = String.valueOf(cause.getMessage());
    String reason =
        message.contains("No space left") || message.contains("not enough space")
            ? "is on a full disk; free some space"
            : "cannot be written to ("
                + cause.getClass().getSimpleName()
                + ": "
                + message
                + "); change its permissions";
    return new DownloadException(
        folder + " " + reason + " or set CHUNKLLAMA_HOME to another folder", cause);
  }

  /** Refuses to begin what cannot end: {@code bytes} more must fit the disk of {@code folder}. */
  static void requireSpace(Path folder, long bytes) {
    try {
      long usable = Files.getFileStore(folder).getUsableSpace();
      if (usable < bytes) {
        throw new DownloadException(
            folder
                + " has "
                + mebibytes(usable)
                + " MiB left and "
                + mebibytes(bytes)
                + " MiB are needed; free some space or set CHUNKLLAMA_HOME to another folder");
      }
    } catch (IOException e) {
      throw failure(folder, e);
    }
  }

  private static long mebibytes(long bytes) {
    return (bytes + (1 << 20) - 1) >> 20;
  }

  /** Bytes of all files below {@code folder}; what vanishes meanwhile counts nothing. */
  static long bytesBelow(Path folder) {
    long bytes = 0;
    try (DirectoryStream<Path> children = Files.newDirectoryStream(folder)) {
      for (Path child : children) {
        bytes += Files.isDirectory(child) ? bytesBelow(child) : size(child);
      }
    } catch (IOException _) {
      return bytes;
    }
    return bytes;
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException _) {
      return 0;
    }
  }

  /** Deletes {@code folder} and what is in it. */
  static void deleteTree(Path folder) throws IOException {
    if (Files.isDirectory(folder)) {
      try (DirectoryStream<Path> children = Files.newDirectoryStream(folder)) {
        for (Path child : children) {
          deleteTree(child);
        }
      }
    }
    Files.deleteIfExists(folder);
  }
}
