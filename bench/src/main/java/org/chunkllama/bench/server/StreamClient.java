package org.chunkllama.bench.server;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Collectors;
import org.chunkllama.bench.faults.ServerProcess;

/** A streamed completion over a connection of its own. */
final class StreamClient implements AutoCloseable {
  private final Socket socket;

  private StreamClient(Socket socket) {
    this.socket = socket;
  }

  /**
   * Asks for a stream.
   *
   * @param promptTokens random, so that nothing is shared
   */
  static StreamClient open(ServerProcess server, long seed, int promptTokens, int tokens)
      throws IOException {
    String ids =
        Arrays.stream(new Random(seed).ints(promptTokens, 300, 500).toArray())
            .mapToObj(String::valueOf)
            .collect(Collectors.joining(","));
    String body =
        "{\"prompt\":[%s],\"max_tokens\":%d,\"ignore_eos\":true,\"temperature\":0,\"stream\":true}"
            .formatted(ids, tokens);
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
    socket
        .getOutputStream()
        .write(
            "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"
                .formatted(body.length(), body)
                .getBytes(StandardCharsets.US_ASCII));
    return new StreamClient(socket);
  }

  /** Reads to the end of the stream. */
  void drain() throws IOException {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      if (line.equals("data: [DONE]")) {
        return;
      }
    }
    throw new IOException("a stream broke off");
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
