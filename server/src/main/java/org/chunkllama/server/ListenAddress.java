package org.chunkllama.server;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import org.chunkllama.error.InvalidRequestException;

/** Whether an address can be listened on; the web server only logs that it cannot. */
final class ListenAddress {
  private ListenAddress() {}

  /**
   * Listens for a moment.
   *
   * @throws InvalidRequestException if that fails; says why
   */
  static void check(String host, int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(new InetSocketAddress(InetAddress.getByName(host), port));
    } catch (UnknownHostException e) {
      throw new InvalidRequestException(
          "cannot listen on %s: it is no known address; give --host one of this machine"
              .formatted(host));
    } catch (IOException e) {
      throw refused(host, port, String.valueOf(e.getMessage()));
    }
  }

  static InvalidRequestException refused(String host, int port, String why) {
    return new InvalidRequestException(
        "cannot listen on %s:%d (%s); free it or choose another --port or --host"
            .formatted(host, port, why));
  }
}
