/** CUDA backend: kernels in CUDA C++, the driver, NVRTC and cuBLASLt by plain FFM. */
module org.chunkllama.backend.cuda {
  requires transitive org.chunkllama.engine;

  provides org.chunkllama.spi.BackendProvider with
      org.chunkllama.cuda.CudaBackendProvider;
}
