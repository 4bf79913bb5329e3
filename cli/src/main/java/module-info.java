/** The chunkllama command. */
module org.chunkllama.cli {
  requires org.chunkllama.engine;
  requires org.chunkllama.backend.cpu;
  requires org.chunkllama.bench;
  requires info.picocli;
  requires tools.jackson.databind;
}
