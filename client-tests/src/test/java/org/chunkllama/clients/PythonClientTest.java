package org.chunkllama.clients;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** OpenAI's own client for Python, from PyPI: a script that prints a line for each case. */
class PythonClientTest {
  private static final Path SCRIPT = Path.of("src/test/python/openai_client.py");

  @Test
  void everyCase() throws IOException, InterruptedException {
    Path python = PythonEnvironment.require("openai==3.57.0");
    try (StartedServer chatting = StartedServer.chatting();
        StartedServer tools = StartedServer.withTools()) {
      PythonEnvironment.Result run =
          PythonEnvironment.run(
              python.toString(),
              SCRIPT.toString(),
              chatting.url(),
              tools.url(),
              StartedServer.KEY,
              StartedServer.MODEL);
      System.out.print(run.output());
      assertThat(run.status()).as(run.output()).isZero();
      assertThat(run.output().lines().filter(line -> line.startsWith("ok "))).hasSize(15);
    }
  }
}
