package org.chunkllama.bench.faults;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A client that writes bytes as it likes and stops when it likes. */
final class RawClient implements AutoCloseable {
  private static final int TIMEOUT_MILLIS = 60_000;
  private static final Pattern STATUS = Pattern.compile("^HTTP/1\\.1 (\\d{3}) ");

  private final Socket socket = new Socket();
  private final InputStream in;

  RawClient(ServerProcess server) throws IOException {
    socket.setReceiveBufferSize(4096); // so that a client which does not read is soon noticed
    socket.connect(
        new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()), TIMEOUT_MILLIS);
    socket.setSoTimeout(TIMEOUT_MILLIS);
    in = new BufferedInputStream(socket.getInputStream(), 1024);
  }

  RawClient write(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
    socket.getOutputStream().flush();
    return this;
  }

  RawClient write(String text) throws IOException {
    return write(text.getBytes(StandardCharsets.UTF_8));
  }

  /** A whole request. */
  RawClient post(String path, byte[] body) throws IOException {
    return write(head(path, body.length)).write(body);
  }

  RawClient post(String path, String body) throws IOException {
    return post(path, body.getBytes(StandardCharsets.UTF_8));
  }

  static String head(String path, long length) {
    return "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        .formatted(path, length);
  }

  /** The answer's status. */
  int status() throws IOException {
    String line = readUntil("\r\n");
    Matcher matcher = STATUS.matcher(line);
    if (!matcher.find()) {
      throw new IOException("no answer of HTTP: " + line.strip());
    }
    return Integer.parseInt(matcher.group(1));
  }

  /** What came up to and with {@code text}, plain ASCII. */
  String readUntil(String text) throws IOException {
    StringBuilder all = new StringBuilder();
    while (all.indexOf(text, Math.max(0, all.length() - text.length())) < 0) {
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
