package org.chunkllama.server.http;

import io.helidon.webserver.http.ServerRequest;
import java.util.Locale;
import org.chunkllama.server.tenant.Tenant;

/** A line for each answered request, without a word of its text. */
final class AccessLog {
  private static final System.Logger LOG = System.getLogger("org.chunkllama.server.access");

  private final boolean enabled;

  AccessLog(boolean enabled) {
    this.enabled = enabled;
  }

  void write(
      ServerRequest request, String route, int status, long nanos, Tenant tenant, String id) {
    if (enabled) {
      LOG.log(
          System.Logger.Level.INFO,
          String.format(
              Locale.ROOT,
              "%s %s %s %d %.1f ms tenant=%s id=%s",
              request.remotePeer().host(),
              request.prologue().method().text(),
              route,
              status,
              nanos / 1e6,
              tenant.name(),
              id));
    }
  }
}
