package org.chunkllama.bench.faults;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Bodies that no client should send. */
final class BadInput {
  private static final List<String> BROKEN =
      List.of(
          "",
          "{",
          "[",
          "nul",
          "{\"prompt\":}",
          "{\"prompt\":\"a\"",
          "{\"prompt\":\"a\",}",
          "{\"prompt\":\"a\"} {}",
          "{\"prompt\":\"\\u12\"}",
          "{\"prompt\":\"a\",\"max_tokens\":1e999}",
          "{\"prompt\":\"a\",\"max_tokens\":\"many\"}",
          "{\"prompt\":\"a\",\"logit_bias\":{\"x\":1}}",
          "{\"prompt\":[1,-1]}",
          "[".repeat(100_000),
          "{\"a\":".repeat(50_000));

  private BadInput() {}

  static List<Fault> faults() {
    return List.of(
        Fault.shared("malformed JSON", BadInput::malformed),
        Fault.shared("wrong UTF-8", BadInput::wrongUtf8),
        Fault.shared("huge bodies", BadInput::huge),
        Fault.shared("no HTTP at all", BadInput::rubbish));
  }

  private static String malformed(ServerProcess server) throws Exception {
    for (String path : List.of(Calls.COMPLETIONS, "/v1/chat/completions", "/v1/messages")) {
      for (String body : BROKEN) {
        expect(server, path, body.getBytes(StandardCharsets.UTF_8), 400);
      }
    }
    return "%d bodies on 3 paths: 400 each".formatted(BROKEN.size());
  }

  private static String wrongUtf8(ServerProcess server) throws Exception {
    List<byte[]> wrong = new ArrayList<>();
    for (int[] bytes :
        new int[][] {
          {0xff}, {0xc0, 0x80}, {0xc3}, {0xe2, 0x82}, {0xed, 0xa0, 0x80}, {0xf8, 0x88}, {0x80}
        }) {
      ByteArrayOutputStream body = new ByteArrayOutputStream();
      body.writeBytes("{\"max_tokens\":2,\"prompt\":\"a".getBytes(StandardCharsets.UTF_8));
      for (int value : bytes) {
        body.write(value);
      }
      body.writeBytes("\"}".getBytes(StandardCharsets.UTF_8));
      wrong.add(body.toByteArray());
    }
    for (byte[] body : wrong) {
      expect(server, Calls.COMPLETIONS, body, 400);
    }
    // Half of a surrogate pair is correct JSON but no text.
    byte[] half = "{\"max_tokens\":2,\"prompt\":\"\\ud800\"}".getBytes(StandardCharsets.UTF_8);
    int status = status(server, Calls.COMPLETIONS, half);
    FaultException.unless(
        status == 200 || status == 400, "half a surrogate pair is answered with " + status);
    return "%d bodies: 400 each; half a surrogate pair: %d".formatted(wrong.size(), status);
  }

  private static String huge(ServerProcess server) throws Exception {
    try (RawClient stated = new RawClient(server)) {
      stated.write(RawClient.head(Calls.COMPLETIONS, 1L << 40));
      has(stated.status(), 413);
    }
    String chunk = "10000\r\n" + " ".repeat(1 << 16) + "\r\n";
    try (RawClient unstated = new RawClient(server)) {
      unstated.write(
          "POST %s HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
              .formatted(Calls.COMPLETIONS));
      try {
        for (int sent = 0; sent < 4 * FaultsBench.BODY_BYTES; sent += 1 << 16) {
          unstated.write(chunk);
        }
      } catch (IOException _) {
        // it closed while we wrote: the answer may be lost with that
        return "a stated terabyte: 413; an unstated one: cut off";
      }
      has(unstated.status(), 413);
    }
    return "a stated terabyte and an endless body: 413";
  }

  private static String rubbish(ServerProcess server) throws Exception {
    int closed = 0;
    for (String text :
        List.of("\0\1\2\3\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\r\n\r\n\r\n")) {
      try (RawClient client = new RawClient(server).write(text)) {
        String answer = client.readAll();
        FaultException.unless(!answer.contains(" 200 "), text.strip() + " is answered: " + answer);
        closed++;
      } catch (IOException _) {
        closed++; // closed without a word
      }
    }
    return closed + " kinds: refused and closed";
  }

  private static void expect(ServerProcess server, String path, byte[] body, int status)
      throws IOException, FaultException {
    int actual = status(server, path, body);
    String begin = new String(body, 0, Math.min(40, body.length), StandardCharsets.UTF_8);
    FaultException.unless(
        actual == status, "%s with %s is answered with %d".formatted(path, begin, actual));
  }

  private static int status(ServerProcess server, String path, byte[] body) throws IOException {
    try (RawClient client = new RawClient(server).post(path, body)) {
      return client.status();
    }
  }

  private static void has(int actual, int status) throws FaultException {
    FaultException.unless(actual == status, "expected %d, but it is %d".formatted(status, actual));
  }
}
