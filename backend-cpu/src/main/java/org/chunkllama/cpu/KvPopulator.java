package org.chunkllama.cpu;

/**
 * Has the system fill the first chunks of a KV cache with pages before they are written, on a
 * thread of its own: otherwise the first steps wait for it, page by page. Content stays undefined.
 * What lies beyond {@value #BYTES} bytes is filled when it is first written.
 */
final class KvPopulator implements AutoCloseable {
  static final long BYTES = 1L << 30;

  /** In one call of the system, so that closing does not wait long. */
  private static final long STEP = 1L << 24;

  private final LargeMemory memory;
  private final long layerBytes;
  private final int layers;
  private final Thread thread;
  private volatile boolean closed;

  /**
   * Starts.
   *
   * @param memory {@code [layers][layerBytes]}
   */
  KvPopulator(LargeMemory memory, int layers, long layerBytes) {
    this.memory = memory;
    this.layers = layers;
    this.layerBytes = layerBytes;
    this.thread = Thread.ofPlatform().daemon().name("chunkllama-kv-pages").start(this::run);
  }

  private void run() {
    long perLayer = Math.min(layerBytes, BYTES / layers);
    for (int layer = 0; layer < layers; layer++) {
      for (long at = 0; at < perLayer; at += STEP) {
        long bytes = Math.min(STEP, perLayer - at);
        if (closed || !memory.populate(layer * layerBytes + at, bytes)) {
          return;
        }
      }
    }
  }

  /** Waits for the call under way; the memory may be freed then. */
  @Override
  public void close() {
    closed = true;
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException _) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
