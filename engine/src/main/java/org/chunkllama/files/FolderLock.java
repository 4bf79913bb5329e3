package org.chunkllama.files;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.chunkllama.error.DownloadException;
import org.jspecify.annotations.Nullable;

/**
 * Lets one process, and one thread of it, write to a cache folder at a time. Falls with the
 * process, whatever ends it.
 */
final class FolderLock implements AutoCloseable {
  private static final long POLL_MILLIS = 100;

  private final FileChannel channel;

  private FolderLock(FileChannel channel) {
    this.channel = channel;
  }

  /** Waits until nobody else writes to {@code folder}, which is made if absent. */
  static FolderLock acquire(Path folder, Progress progress) {
    FileChannel channel = null;
    boolean locked = false;
    try {
      Files.createDirectories(folder);
      channel =
          FileChannel.open(
              folder.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      awaitLock(channel, folder, progress);
      locked = true;
      return new FolderLock(channel);
    } catch (IOException e) {
      throw Disk.failure(folder, e);
    } finally {
      if (channel != null && !locked) {
        close(channel);
      }
    }
  }

  private static void awaitLock(FileChannel channel, Path folder, Progress progress)
      throws IOException {
    boolean said = false;
    while (tryLock(channel) == null) {
      if (!said) {
        progress.note("another process is fetching into " + folder + "; waiting for it");
        said = true;
      }
      try {
        Thread.sleep(POLL_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new DownloadException("interrupted while waiting for " + folder + "; run again", e);
      }
    }
  }

  private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException _) { // another thread of this process has it
      return null;
    }
  }

  @Override
  public void close() {
    close(channel);
  }

  private static void close(FileChannel channel) {
    try {
      channel.close();
    } catch (IOException _) {
      // The lock falls with the descriptor; nothing was written through it.
    }
  }
}
