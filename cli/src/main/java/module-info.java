/** The chunkllama command. */
module org.chunkllama.cli {
  requires ch.qos.logback.classic;
  requires ch.qos.logback.core;
  requires info.picocli;
  requires me.tongfei.progressbar;
  requires org.chunkllama.backend.cpu;
  requires org.chunkllama.bench;
  requires org.chunkllama.engine;
  requires org.chunkllama.server;
  requires org.jline.reader;
  requires org.jline.terminal;
  requires org.slf4j;
  requires tools.jackson.databind;
  requires tools.jackson.dataformat.yaml;

  // picocli fills annotated fields.
  opens org.chunkllama.cli to
      info.picocli;

  provides ch.qos.logback.classic.spi.Configurator with
      org.chunkllama.cli.LoggingSetup;
}
