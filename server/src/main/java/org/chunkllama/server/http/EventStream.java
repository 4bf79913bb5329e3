package org.chunkllama.server.http;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.chunkllama.server.net.ClientConnection;
import tools.jackson.core.JsonGenerator;

/**
 * Server-sent events, written as OpenAI does: {@code data: {...}} and an empty line, flushed one by
 * one. A write that the client does not take in time fails.
 */
public final class EventStream {
  private static final byte[] DATA = "data: ".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] END = "\n\n".getBytes(StandardCharsets.US_ASCII);

  private final OutputStream out;
  private final ClientConnection connection;
  private final ByteArrayOutputStream frame = new ByteArrayOutputStream(512);

  EventStream(OutputStream out, ClientConnection connection) {
    this.out = out;
    this.connection = connection;
  }

  /** One event of JSON without a name. */
  public void data(Consumer<JsonGenerator> json) {
    frame.reset();
    frame.writeBytes(DATA);
    write(json);
    send();
  }

  /** One event of JSON with a name. */
  public void event(String name, Consumer<JsonGenerator> json) {
    frame.reset();
    frame.writeBytes(("event: " + name + "\n").getBytes(StandardCharsets.US_ASCII));
    frame.writeBytes(DATA);
    write(json);
    send();
  }

  /** What OpenAI ends a stream with. */
  public void done() {
    frame.reset();
    frame.writeBytes("data: [DONE]".getBytes(StandardCharsets.US_ASCII));
    send();
  }

  private void write(Consumer<JsonGenerator> json) {
    try (JsonGenerator generator = Json.generator(frame)) {
      json.accept(generator);
    }
  }

  private void send() {
    frame.writeBytes(END);
    connection.beginWrite();
    try {
      frame.writeTo(out);
      out.flush();
    } catch (IOException | RuntimeException e) {
      throw new ClientGoneException(e);
    } finally {
      connection.endWrite();
    }
  }

  /**
   * Ends the stream. Not for {@code finally}: after an exception the error is still to be sent, or
   * there is nobody to send it to.
   */
  public void end() {
    connection.answered();
    connection.beginWrite();
    try {
      out.close();
    } catch (IOException | RuntimeException e) {
      throw new ClientGoneException(e);
    } finally {
      connection.endWrite();
    }
  }
}
