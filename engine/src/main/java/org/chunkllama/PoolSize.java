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
   * @param layout of a chunk
   * @param perChunk bytes that a chunk takes
   * @param context longest sequence in tokens
   * @param poolBytes asked for; 0 = automatic
   * @throws PoolExhaustedException if not even one chunk fits
   */
  static int chunks(KvLayout layout, long perChunk, int context, long poolBytes) {
    return chunks(layout, perChunk, context, poolBytes, poolBytes > 0 ? 0 : freeBytes());
  }

  static int chunks(KvLayout layout, long perChunk, int context, long poolBytes, long freeBytes) {
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
   * Chunks of a pool in a device's own memory, beside weights and activations; logs what takes how
   * much before anything is taken. Automatic: enough for many full sequences, at most nine tenths
   * of what the others leave.
   *
   * @param perChunk bytes that a chunk takes there
   * @param poolBytes asked for; 0 = automatic
   * @param weightBytes what the weights will take, about
   * @param activationBytes what the values of a step will take, about
   * @param freeBytes of the device
   * @throws DeviceException if they do not fit together, saying what takes how much, what would fit
   *     and which option changes it
   */
  static int deviceChunks(
      KvLayout layout,
      long perChunk,
      int context,
      long poolBytes,
      long weightBytes,
      long activationBytes,
      long freeBytes) {
    long left = freeBytes - weightBytes - activationBytes;
    long perContext = Math.ceilDiv(context, layout.chunkTokens()) * perChunk;
    long most = Math.max(0, left / 10 * 9);
    long bytes = poolBytes > 0 ? poolBytes : Math.min(SEQUENCES * perContext, most);
    String plan =
        "device memory: weights about %,d MiB, activations about %,d MiB, KV pool %,d MiB (%,d tokens); %,d MiB are free"
            .formatted(
                weightBytes >> 20,
                activationBytes >> 20,
                bytes >> 20,
                bytes / perChunk * layout.chunkTokens(),
                freeBytes >> 20);
    if (most < perChunk) {
      throw new DeviceException(
          plan
              + ". That leaves no room for keys and values: choose a smaller model, a lower --max-batch-tokens or --max-sequences, or another --backend");
    }
    if (bytes > left) {
      throw new DeviceException(
          plan
              + ". That does not fit: choose --kv-memory %dm (%,d tokens) or less, or a smaller --kv-type"
                  .formatted(most >> 20, most / perChunk * layout.chunkTokens()));
    }
    LOG.log(System.Logger.Level.INFO, plan);
    return chunks(layout, perChunk, context, Math.max(1, bytes));
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
