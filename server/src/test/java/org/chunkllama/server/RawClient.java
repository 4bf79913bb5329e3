package org.chunkllama.server;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A client that can misbehave: it writes bytes as it likes and stops when it likes. */
final class RawClient implements AutoCloseable {
  private final Socket socket;
  private final InputStream in;

  RawClient(int port) throws IOException {
    socket = new Socket();
    socket.setReceiveBufferSize(4096); // so that a client which does not read is soon noticed
    socket.connect(new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    socket.setSoTimeout(30_000);
    in = new BufferedInputStream(socket.getInputStream());
  }

  RawClient write(String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
    socket.getOutputStream().flush();
    return this;
  }

  /** A whole request. */
  RawClient post(String path, String body) throws IOException {
    return write(head(path, body.getBytes(StandardCharsets.UTF_8).length) + body);
  }

  static String head(String path, int length) {
    return "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
        .formatted(path, length);
  }

  /** What the server sent when {@code text}, plain ASCII, has come. */
  String readUntil(String text) throws IOException {
    StringBuilder all = new StringBuilder();
    while (all.indexOf(text, all.length() - text.length()) < 0) {
      int next = in.read();
      if (next < 0) {
        throw new IOException("closed after: " + all);
      }
      all.append((char) next);
    }
    return all.toString();
  }

  /** All that comes until the server closes. */
  String readAll() throws IOException {
    return new String(in.readAllBytes(), StandardCharsets.UTF_8);
  }

  /** Closes so that the server learns of it by a reset. */
  void reset() throws IOException {
    socket.setSoLinger(true, 0);
    socket.close();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
