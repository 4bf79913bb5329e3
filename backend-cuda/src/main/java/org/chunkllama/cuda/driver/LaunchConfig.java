package org.chunkllama.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A {@code CUlaunchConfig} and its attributes: all that is known here of how {@code
 * cuLaunchKernelEx} is told about a launch. Filling it allocates nothing.
 */
final class LaunchConfig {
  private static final int COOPERATIVE = 2; // CU_LAUNCH_ATTRIBUTE_COOPERATIVE
  private static final int PROGRAMMATIC =
      6; // CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION
  private static final int[] ATTRIBUTE_IDS = {COOPERATIVE, PROGRAMMATIC};
  private static final int BYTES = 56;
  private static final int ATTRIBUTE_BYTES = 72; // id, padding, a union of 64 bytes
  private static final int VALUE = 8;
  private static final int SIZES = 6; // ints: x, y, z of the grid, then of a block
  private static final int GRID_X = 0;
  private static final int GRID_Y = 1;
  private static final int BLOCK_X = 3;
  private static final int SHARED = 24;
  private static final int STREAM = 32;
  private static final int ATTRIBUTES = 40;
  private static final int ATTRIBUTE_COUNT = 48;

  private final MemorySegment config;
  private final long attributes;

  LaunchConfig(Arena arena) {
    config = arena.allocate(BYTES, 8);
    MemorySegment all = arena.allocate((long) ATTRIBUTE_IDS.length * ATTRIBUTE_BYTES, 8);
    for (int i = 0; i < SIZES; i++) {
      config.setAtIndex(ValueLayout.JAVA_INT, i, 1);
    }
    for (int i = 0; i < ATTRIBUTE_IDS.length; i++) {
      long at = (long) i * ATTRIBUTE_BYTES;
      all.set(ValueLayout.JAVA_INT, at, ATTRIBUTE_IDS[i]);
      all.set(ValueLayout.JAVA_INT, at + VALUE, 1);
    }
    attributes = all.address();
  }

  /**
   * Its address, for a grid of {@code gridX * gridY} blocks of {@code threads}.
   *
   * @param together whether all blocks are on the GPU at once
   * @param early whether it may begin before the kernel ahead of it has ended
   */
  long of(
      CudaStream stream,
      int gridX,
      int gridY,
      int threads,
      int sharedBytes,
      boolean together,
      boolean early) {
    config.setAtIndex(ValueLayout.JAVA_INT, GRID_X, gridX);
    config.setAtIndex(ValueLayout.JAVA_INT, GRID_Y, gridY);
    config.setAtIndex(ValueLayout.JAVA_INT, BLOCK_X, threads);
    config.set(ValueLayout.JAVA_INT, SHARED, sharedBytes);
    config.set(ValueLayout.JAVA_LONG, STREAM, stream.handle);
    // The first, the second, both or none of two.
    config.set(
        ValueLayout.JAVA_LONG, ATTRIBUTES, together ? attributes : attributes + ATTRIBUTE_BYTES);
    config.set(ValueLayout.JAVA_INT, ATTRIBUTE_COUNT, (together ? 1 : 0) + (early ? 1 : 0));
    return config.address();
  }
}
