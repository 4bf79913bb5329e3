package org.chunkllama.cpu;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/** How much more memory this machine can give. */
final class FreeMemory {
  private static final Path MEMINFO = Path.of("/proc/meminfo");
  private static final String AVAILABLE = "MemAvailable:";
  private static final long KIBIBYTE = 1024;

  private FreeMemory() {}

  /** Bytes that can be used without swapping, file caches included where the system says. */
  static long bytes() {
    if (ManagementFactory.getOperatingSystemMXBean()
        instanceof com.sun.management.OperatingSystemMXBean system) {
      long available = available();
      // A container may allow less than the machine has.
      long limit = system.getTotalMemorySize();
      return available < 0 ? system.getFreeMemorySize() : Math.min(available, limit);
    }
    return Math.max(0, available());
  }

  private static long available() {
    try {
      for (String line : Files.readAllLines(MEMINFO)) {
        if (line.startsWith(AVAILABLE)) {
          String value = line.substring(AVAILABLE.length()).replace("kB", "").strip();
          return Long.parseLong(value) * KIBIBYTE;
        }
      }
    } catch (IOException | NumberFormatException e) {
      return -1; // not Linux
    }
    return -1;
  }
}
