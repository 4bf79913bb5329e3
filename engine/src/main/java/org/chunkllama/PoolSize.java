package org.chunkllama;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import org.chunkllama.error.PoolExhaustedException;
import org.chunkllama.spi.KvLayout;

/** How many chunks the KV pool gets. */
final class PoolSize {
  /** Automatic: enough for this many sequences of full context, if memory allows. */
  private static final int SEQUENCES = 64;

  /** Automatic: at most this part of the memory that is free. */
  private static final int SHARE = 4;

  private PoolSize() {}

  /**
   * Chunks of a pool.
   *
   * @param layout what a chunk takes
   * @param context longest sequence in tokens
   * @param poolBytes asked for; 0 = automatic
   * @throws PoolExhaustedException if not even one chunk fits
   */
  static int chunks(KvLayout layout, int context, long poolBytes) {
    return chunks(layout, context, poolBytes, poolBytes > 0 ? 0 : freeBytes());
  }

  static int chunks(KvLayout layout, int context, long poolBytes, long freeBytes) {
    long perChunk = layout.bytesPerChunk();
    long bytes = poolBytes;
    if (bytes == 0) {
      long perContext = Math.ceilDiv(context, layout.chunkTokens()) * perChunk;
      bytes = Math.min(SEQUENCES * perContext, freeBytes / SHARE);
      // a model whose context is large for this machine: rather half the memory than a short
      // context
      bytes = Math.max(bytes, Math.min(perContext, freeBytes / 2));
    }
    long chunks = Math.min(bytes / perChunk, Integer.MAX_VALUE / 2);
    if (chunks < 1) {
      throw new PoolExhaustedException(
          "a KV pool of %,d bytes holds no chunk of %,d bytes; give it more memory"
              .formatted(bytes, perChunk));
    }
    return (int) chunks;
  }

  /** Memory that could be taken without swapping, in bytes. */
  private static long freeBytes() {
    OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    long free = system.getFreeMemorySize();
    try {
      // Linux: what the page cache would give back counts too
      for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
        if (line.startsWith("MemAvailable:")) {
          free = Math.max(free, 1024 * Long.parseLong(line.replaceAll("\\D", "")));
        }
      }
    } catch (IOException _) {
      // not Linux: the bean's figure stands
    }
    return Math.min(free, system.getTotalMemorySize()); // the latter knows a container's limit
  }
}
