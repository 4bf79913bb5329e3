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

  LaunchConfig(Arena arena) {
    config = arena.allocate(BYTES, 8);
    MemorySegment attributes = arena.allocate((long) ATTRIBUTE_IDS.length * ATTRIBUTE_BYTES, 8);
    for (int i = 0; i < SIZES; i++) {
      config.setAtIndex(ValueLayout.JAVA_INT, i, 1);
    }
    for (int i = 0; i < ATTRIBUTE_IDS.length; i++) {
      long at = (long) i * ATTRIBUTE_BYTES;
      attributes.set(ValueLayout.JAVA_INT, at, ATTRIBUTE_IDS[i]);
      attributes.set(ValueLayout.JAVA_INT, at + VALUE, 1);
    }
    config.set(ValueLayout.JAVA_LONG, ATTRIBUTES, attributes.address());
  }

  /**
   * Its address, for a grid of {@code gridX * gridY} blocks of {@code threads} that are on the GPU
   * at once.
   *
   * @param early whether it may begin before the kernel ahead of it has ended
   */
  long together(
      CudaStream stream, int gridX, int gridY, int threads, int sharedBytes, boolean early) {
    config.setAtIndex(ValueLayout.JAVA_INT, GRID_X, gridX);
    config.setAtIndex(ValueLayout.JAVA_INT, GRID_Y, gridY);
    config.setAtIndex(ValueLayout.JAVA_INT, BLOCK_X, threads);
    config.set(ValueLayout.JAVA_INT, SHARED, sharedBytes);
    config.set(ValueLayout.JAVA_LONG, STREAM, stream.handle);
    config.set(ValueLayout.JAVA_INT, ATTRIBUTE_COUNT, early ? 2 : 1);
    return config.address();
  }
}
