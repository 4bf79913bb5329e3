/** The tests that every backend must pass: extend them and say which backend. */
module org.chunkllama.backend.contract {
  requires transitive org.chunkllama.engine;
  requires transitive org.junit.jupiter.api;
  requires transitive org.junit.jupiter.params;
  requires org.assertj.core;

  exports org.chunkllama.contract;
}
