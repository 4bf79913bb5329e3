/** Kernel and end-to-end benchmarks. */
module org.chunkllama.bench {
  requires transitive org.chunkllama.engine;
  requires transitive org.chunkllama.backend.cpu;
  requires jdk.incubator.vector;
  requires java.instrument;
  requires java.net.http;
  requires jdk.jfr;
  requires static jmh.core; // annotations; JMH itself runs in a JVM of its own
  requires tools.jackson.databind;

  exports org.chunkllama.bench;
  exports org.chunkllama.bench.faults;
  exports org.chunkllama.bench.server;

  provides org.chunkllama.spi.BackendProvider with
      org.chunkllama.bench.TimedBackendProvider;
}
