package org.chunkllama.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Optional;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.server.tenant.ApiKeys;
import org.junit.jupiter.api.Test;

/** Addresses that cannot be had are an error, not a server that nobody reaches. */
class ListenTest {
  private static ServerOptions on(String host, int port) {
    return TestServer.options(host, port, ApiKeys.none(), Limits.defaults(), Optional.empty());
  }

  @Test
  void addressesThatCannotBeHadAreRefused() throws Exception {
    try (TestServer server = new TestServer();
        ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      int port = taken.getLocalPort();
      assertThatThrownBy(() -> ChatServer.start(server.llm, on("127.0.0.1", port)))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("cannot listen on 127.0.0.1:" + port)
          .hasMessageContaining("--port");
      assertThatThrownBy(() -> ChatServer.start(server.llm, on("192.0.2.1", 0)))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("cannot listen on 192.0.2.1:0");
      assertThatThrownBy(() -> ChatServer.start(server.llm, on("1.2.3.4.5", 0)))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("--host");
      assertThat(server.get("/health").statusCode()).isEqualTo(200);
    }
  }
}
