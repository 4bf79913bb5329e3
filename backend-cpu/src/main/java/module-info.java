/** CPU backend: Vector API kernels, oneDNN products. */
module org.chunkllama.backend.cpu {
  requires transitive org.chunkllama.engine;
  requires jdk.incubator.vector;

  provides org.chunkllama.spi.BackendProvider with
      org.chunkllama.cpu.CpuBackendProvider;
}
