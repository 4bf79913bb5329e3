package org.chunkllama.cuda.driver;

/** NVIDIA's libraries, through which a GPU is opened. */
public final class CudaLibraries {
  private final CudaDriver driver;
  private final Nvrtc nvrtc;
  private final MappedLibrary blas;

  CudaLibraries(CudaDriver driver, Nvrtc nvrtc, MappedLibrary blas) {
    this.driver = driver;
    this.nvrtc = nvrtc;
    this.blas = blas;
  }

  /**
   * Those of this machine.
   *
   * @throws CudaException if one is missing or too old, saying what to do
   */
  public static CudaLibraries installed() {
    return new CudaLibraries(CudaDriver.get(), Nvrtc.get(), BlasLt.library());
  }

  /** The run-time compiler. */
  public Nvrtc nvrtc() {
    return nvrtc;
  }

  /**
   * Opens the {@code ordinal}th GPU.
   *
   * @throws CudaException if there is none, or one too old
   */
  public CudaContext open(int ordinal) {
    return CudaContext.open(driver, ordinal);
  }

  /**
   * Opens cuBLASLt on a context.
   *
   * @throws OutOfDeviceMemoryException if there is no room for its workspace
   */
  public BlasLt blas(CudaContext context) {
    return new BlasLt(context, blas);
  }
}
