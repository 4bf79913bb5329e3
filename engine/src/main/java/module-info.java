/**
 * ChunkLlama: public API, prefix tree, plan, model, scheduler, backend SPI and reference backend.
 */
module org.chunkllama.engine {
  requires transitive org.jspecify;
  requires ai.djl.tokenizers;
  requires java.net.http;
  requires jdk.jfr;
  requires jdk.management;
  requires tools.jackson.databind;

  exports org.chunkllama;
  exports org.chunkllama.error;
  exports org.chunkllama.files;
  exports org.chunkllama.guide;
  exports org.chunkllama.model;
  exports org.chunkllama.plan;
  exports org.chunkllama.prefix;
  exports org.chunkllama.sample;
  exports org.chunkllama.spi;
  exports org.chunkllama.text;
  exports org.chunkllama.tune;

  provides org.chunkllama.spi.BackendProvider with
      org.chunkllama.reference.ReferenceBackendProvider;

  uses org.chunkllama.spi.BackendProvider;
}
