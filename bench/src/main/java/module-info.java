/** Kernel and end-to-end benchmarks. */
module org.chunkllama.bench {
  requires transitive org.chunkllama.engine;
  requires transitive org.chunkllama.backend.cpu;
  requires info.picocli;
  requires jmh.core;
  requires tools.jackson.databind;
}
