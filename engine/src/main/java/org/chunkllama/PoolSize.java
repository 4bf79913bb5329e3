package org.chunkllama;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import org.chunkllama.error.DeviceException;
import org.chunkllama.error.PoolExhaustedException;
import org.chunkllama.spi.KvLayout;

/** How many chunks the KV pool gets. */
final class PoolSize {
  /** Automatic: enough for this many sequences of full context, if memory allows. */
  private static final int SEQUENCES = 64;

  /** Automatic: at most this part of the memory that is free. */
  private static final int SHARE = 4;

  private static final System.Logger LOG = System.getLogger(PoolSize.class.getName());

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

  /**
   * Chunks of a pool in a device's own memory, beside the weights. Automatic: enough for many full
   * sequences, at most nine tenths of what the weights leave.
   *
   * @param poolBytes asked for; 0 = automatic
   * @param weightBytes what the weights will take, about
   * @param freeBytes of the device
   * @throws DeviceException if weights and pool do not fit together, saying what takes how much
   */
  static int deviceChunks(
      KvLayout layout, int context, long poolBytes, long weightBytes, long freeBytes) {
    long left = freeBytes - weightBytes;
    long perContext = Math.ceilDiv(context, layout.chunkTokens()) * layout.bytesPerChunk();
    long bytes = poolBytes > 0 ? poolBytes : Math.min(SEQUENCES * perContext, left / 10 * 9);
    String plan =
        "weights take about %,d MiB and the KV pool %,d MiB of %,d MiB that are free on the device"
            .formatted(weightBytes >> 20, Math.max(0, bytes) >> 20, freeBytes >> 20);
    LOG.log(System.Logger.Level.DEBUG, plan);
    if (left < 0) {
      throw new DeviceException(plan + "; choose a smaller model, or another --backend");
    }
    if (bytes > left) {
      throw new DeviceException(plan + "; choose a smaller --kv-memory, or a smaller --kv-type");
    }
    return chunks(layout, context, Math.max(1, bytes));
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
