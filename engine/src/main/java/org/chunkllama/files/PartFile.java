package org.chunkllama.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A file on its way: bytes gather under another name, which tells whose they are, until they are
 * all there and hash right. Only then does the file get its own name, in one step.
 */
final class PartFile implements AutoCloseable {
  private final Path target;
  private final Path part;
  private final Checksum checksum;
  private final FileChannel channel;
  private final boolean resumed;

  /** Opens the part of {@code target} that an earlier try left, or an empty one. */
  PartFile(Path target, Checksum checksum) {
    this.target = target;
    this.checksum = checksum;
    String mark = checksum.hex().substring(0, 16);
    this.part = target.resolveSibling(target.getFileName() + "." + mark + ".part");
    try {
      Files.createDirectories(folder());
      this.channel = FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      channel.position(channel.size());
      this.resumed = channel.size() > 0;
    } catch (IOException e) {
      throw Disk.failure(folder(), e);
    }
  }

  /** The folder that the file is to lie in. */
  Path folder() {
    Path parent = target.getParent();
    return parent == null ? Path.of("") : parent;
  }

  /** Bytes that are there. */
  long bytes() {
    try {
      return channel.position();
    } catch (IOException e) {
      throw Disk.failure(folder(), e);
    }
  }

  /** True if an earlier process left some of the bytes. */
  boolean resumed() {
    return resumed;
  }

  void write(byte[] buffer, int count) {
    try {
      ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, count);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      throw Disk.failure(folder(), e);
    }
  }

  /** Forgets all bytes. */
  void restart() {
    try {
      channel.truncate(0);
      channel.position(0);
    } catch (IOException e) {
      throw Disk.failure(folder(), e);
    }
  }

  /**
   * Gives the file its name if its bytes hash right; forgets them if not.
   *
   * @return false if they do not
   */
  boolean complete() {
    try {
      channel.force(true);
      if (!checksum.matches(part)) {
        restart();
        return false;
      }
      Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
      return true;
    } catch (IOException e) {
      throw Disk.failure(folder(), e);
    }
  }

  /** Leaves what is there for another try. */
  @Override
  public void close() {
    try {
      channel.close();
      if (Files.exists(part) && Files.size(part) == 0) {
        Files.delete(part);
      }
    } catch (IOException e) {
      throw Disk.failure(folder(), e);
    }
  }
}
