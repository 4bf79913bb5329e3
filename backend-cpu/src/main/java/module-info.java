/** CPU backend: Vector API kernels, oneDNN products. */
module org.chunkllama.backend.cpu {
  requires transitive org.chunkllama.engine;
  requires java.management;
  requires jdk.incubator.vector;
  requires jdk.management;

  provides org.chunkllama.spi.BackendProvider with
      org.chunkllama.cpu.CpuBackendProvider;
}
