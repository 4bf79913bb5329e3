package org.chunkllama.files;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A Hugging Face hub on localhost with one repository, {@code org/model}: a listing, small files
 * served in place, large ones by a redirect to another path, ranges, and trouble on demand.
 */
final class FakeHub implements AutoCloseable {
  static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
  private static final int LARGE_BYTES = 1000;

  final Map<String, byte[]> files = new LinkedHashMap<>();

  /** "METHOD PATH from BYTE", as asked. */
  final List<String> requests = new CopyOnWriteArrayList<>();

  /** Authorization headers by path. */
  final List<String> authorizations = new CopyOnWriteArrayList<>();

  /** So many transfers end after {@link #breakAfterBytes}. */
  final AtomicInteger breaks = new AtomicInteger();

  volatile int breakAfterBytes = 5_000;

  /** So many requests for files are answered 503. */
  final AtomicInteger busy = new AtomicInteger();

  /** Answer of everything, or 0. */
  volatile int refuseWith;

  volatile boolean ranges = true;
  volatile boolean spoil;
  volatile boolean stall;

  private final HttpServer server;

  FakeHub() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", this::handle);
    server.start();
  }

  URI address() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  FakeHub file(String name, byte[] bytes) {
    files.put(name, bytes);
    return this;
  }

  FakeHub file(String name, String text) {
    return file(name, text.getBytes(StandardCharsets.UTF_8));
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().getPath();
      requests.add(path + " from " + from(exchange));
      String authorization = exchange.getRequestHeaders().getFirst("Authorization");
      authorizations.add(path + ": " + authorization);
      if (refuseWith != 0) {
        exchange.sendResponseHeaders(refuseWith, -1);
      } else if (path.equals("/api/models/org/model/revision/main")) {
        send(exchange, listing().getBytes(StandardCharsets.UTF_8));
      } else if (path.startsWith("/org/model/resolve/")) {
        resolve(exchange, path.replaceFirst("^/org/model/resolve/[^/]+/", ""));
      } else if (path.startsWith("/cdn/")) {
        transfer(exchange, files.getOrDefault(path.substring(5), new byte[0]));
      } else {
        exchange.sendResponseHeaders(404, -1);
      }
    }
  }

  private void resolve(HttpExchange exchange, String name) throws IOException {
    byte[] bytes = files.get(name);
    if (bytes == null) {
      exchange.sendResponseHeaders(404, -1);
    } else if (busy.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      exchange.sendResponseHeaders(503, -1);
    } else if (bytes.length >= LARGE_BYTES) {
      exchange.getResponseHeaders().add("X-Linked-ETag", "\"" + sha256(bytes) + "\"");
      exchange.getResponseHeaders().add("Location", "/cdn/" + name);
      exchange.sendResponseHeaders(302, -1);
    } else {
      exchange.getResponseHeaders().add("ETag", "\"" + gitBlob(bytes) + "\"");
      transfer(exchange, bytes);
    }
  }

  private void transfer(HttpExchange exchange, byte[] bytes) throws IOException {
    long from = ranges ? from(exchange) : 0;
    byte[] sent = bytes.clone();
    if (spoil) {
      sent[sent.length / 2] ^= 1;
    }
    int length = (int) (bytes.length - from);
    if (from > 0) {
      exchange
          .getResponseHeaders()
          .add("Content-Range", "bytes " + from + "-" + (bytes.length - 1) + "/" + bytes.length);
    }
    exchange.sendResponseHeaders(from > 0 ? 206 : 200, length);
    boolean broken = breaks.getAndUpdate(left -> Math.max(0, left - 1)) > 0;
    OutputStream out = exchange.getResponseBody();
    out.write(sent, (int) from, broken ? Math.min(breakAfterBytes, length) : length);
    out.flush();
    if (stall) {
      stall = false;
      sleep();
    }
  }

  private static void sleep() {
    try {
      Thread.sleep(3_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static long from(HttpExchange exchange) {
    String range = exchange.getRequestHeaders().getFirst("Range");
    return range == null
        ? 0
        : Long.parseLong(range.substring("bytes=".length(), range.length() - 1));
  }

  private String listing() {
    List<String> siblings = new ArrayList<>();
    files.forEach((name, bytes) ->
        siblings.add(
            "{\"rfilename\":\""
                + name
                + "\",\"size\":"
                + bytes.length
                + (bytes.length >= LARGE_BYTES
                    ? ",\"blobId\":\"x\",\"lfs\":{\"sha256\":\"" + sha256(bytes) + "\"}"
                    : ",\"blobId\":\"" + gitBlob(bytes) + "\"")
                + "}"));
    return "{\"id\":\"org/model\",\"sha\":\""
        + COMMIT
        + "\",\"siblings\":["
        + String.join(",", siblings)
        + "]}";
  }

  private static void send(HttpExchange exchange, byte[] body) throws IOException {
    exchange.sendResponseHeaders(200, body.length);
    exchange.getResponseBody().write(body);
  }

  static String sha256(byte[] bytes) {
    return hash("SHA-256", bytes);
  }

  static String gitBlob(byte[] bytes) {
    byte[] head = ("blob " + bytes.length + "\0").getBytes(StandardCharsets.US_ASCII);
    byte[] all = new byte[head.length + bytes.length];
    System.arraycopy(head, 0, all, 0, head.length);
    System.arraycopy(bytes, 0, all, head.length, bytes.length);
    return hash("SHA-1", all);
  }

  private static String hash(String algorithm, byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
