package org.chunkllama.cuda.driver;

/**
 * What a GPU is.
 *
 * @param name as the driver calls it
 * @param major compute capability, 8 for Ampere, 9 for Hopper
 * @param minor of the compute capability
 * @param multiprocessors units that run blocks
 * @param l2Bytes size of the L2 cache
 * @param sharedBytesMax most shared memory of a block
 * @param driverVersion newest CUDA the driver supports, 13000 for 13.0
 */
public record GpuProperties(
    String name,
    int major,
    int minor,
    int multiprocessors,
    int l2Bytes,
    int sharedBytesMax,
    int driverVersion) {
  /** The target of cubins for it: {@code sm_80}; on Hopper with its own instructions. */
  public String architecture() {
    return "sm_" + major + minor + (major == 9 && minor == 0 ? "a" : "");
  }

  /** {@link #driverVersion} as {@code 13.0}. */
  public String cudaVersion() {
    return CudaDriver.name(driverVersion);
  }
}
