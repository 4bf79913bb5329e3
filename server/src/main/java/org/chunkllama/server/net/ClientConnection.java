package org.chunkllama.server.net;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.socket.HelidonSocket;
import io.helidon.common.socket.PeerInfo;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ListenerContext;
import io.helidon.webserver.ProxyProtocolData;
import io.helidon.webserver.Router;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import org.jspecify.annotations.Nullable;

/**
 * One client's connection as its handlers see it: the web server's context with an input of our
 * own, so that a client which closes while its answer is computed is noticed at once, and deadlines
 * for clients that send or read too slowly.
 *
 * <p>One thread handles a connection's requests one after the other; {@link ConnectionGuard} reads
 * the deadlines from its own.
 */
public final class ClientConnection implements ConnectionContext {
  private static final ScopedValue<ClientConnection> CURRENT = ScopedValue.newInstance();

  private final ConnectionContext context;
  private final ClientInput input;
  private final DataReader reader;
  private volatile long writingSince;
  private volatile @Nullable Thread handler;
  private volatile long closingSince; // the guard's

  ClientConnection(ConnectionContext context) {
    this.context = context;
    DataReader first = context.dataReader();
    int available = first.available();
    byte[] seen = available == 0 ? new byte[0] : first.readBytes(available); // of 0 it would wait
    this.input = new ClientInput(seen, context.serverSocket(), context.executor());
    this.reader = DataReader.create(input);
  }

  /** The connection whose request this thread handles; empty outside the server. */
  public static Optional<ClientConnection> current() {
    return CURRENT.isBound() ? Optional.of(CURRENT.get()) : Optional.empty();
  }

  static ScopedValue.Carrier as(ClientConnection connection) {
    return ScopedValue.where(CURRENT, connection);
  }

  /** The request is here, body and all: its deadline is met. */
  public void requestRead() {
    input.requestRead();
  }

  /**
   * Runs {@code action} on another thread if the client closes before the request is answered.
   * Called once a request, after {@link #requestRead}.
   */
  public void whenGone(Runnable action) {
    input.watch(action);
  }

  /** The answer is complete: a client that closes now does not matter. */
  public void answered() {
    input.unwatch();
  }

  /** A write begins; one that lasts longer than the limit closes the connection. */
  public void beginWrite() {
    writingSince = System.nanoTime() | 1; // 0 means none
  }

  /** The write is done. */
  public void endWrite() {
    writingSince = 0;
  }

  /** True if a write began {@code nanos} ago or earlier and is not done. */
  boolean isWriteStuck(long now, long nanos) {
    long since = writingSince;
    return since != 0 && now - since > nanos;
  }

  /** True if a request began to come {@code nanos} ago or earlier and is not all here. */
  boolean isRequestLate(long now, long nanos) {
    return input.isRequestLate(now, nanos);
  }

  /** This thread handles the connection's requests from now on. */
  void handled() {
    handler = Thread.currentThread();
  }

  /**
   * Ends the connection without a word, and without waiting for what is being written: an interrupt
   * closes the channel under its handler, with TLS or without. Any thread.
   */
  void cut() {
    Thread thread = handler;
    if (thread != null) {
      thread.interrupt();
    }
  }

  /**
   * Says why and closes, on a thread of its own: either may have to wait for the client. The second
   * call, {@code patience} nanoseconds after the first or later, cuts. The guard's thread only.
   */
  void close(byte[] lastWords, long now, long patience) {
    if (closingSince == 0) {
      closingSince = now | 1;
      Thread.ofVirtual().name("chunkllama-last-words").start(() -> closeNow(lastWords));
    } else if (now - closingSince > patience) {
      cut();
    }
  }

  /** Answers a request that cannot be read with 400, and closes. Its handler's thread. */
  public void refuse(String message) {
    beginWrite();
    try {
      closeNow(ConnectionGuard.raw("400 Bad Request", message));
    } finally {
      endWrite();
    }
  }

  private void closeNow(byte[] lastWords) {
    try {
      context.serverSocket().write(BufferData.create(lastWords));
      context.serverSocket().close();
    } catch (UncheckedIOException _) {
      // closed already, which is what was wanted
    }
  }

  @Override
  public DataReader dataReader() {
    return reader;
  }

  @Override
  public ListenerContext listenerContext() {
    return context.listenerContext();
  }

  @Override
  public ExecutorService executor() {
    return context.executor();
  }

  @Override
  public DataWriter dataWriter() {
    return context.dataWriter();
  }

  @Override
  public Router router() {
    return context.router();
  }

  @Override
  public Optional<ProxyProtocolData> proxyProtocolData() {
    return context.proxyProtocolData();
  }

  @Override
  public HelidonSocket serverSocket() {
    return context.serverSocket();
  }

  @Override
  public PeerInfo remotePeer() {
    return context.remotePeer();
  }

  @Override
  public PeerInfo localPeer() {
    return context.localPeer();
  }

  @Override
  public boolean isSecure() {
    return context.isSecure();
  }

  @Override
  public String socketId() {
    return context.socketId();
  }

  @Override
  public String childSocketId() {
    return context.childSocketId();
  }
}
