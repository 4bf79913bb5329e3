package org.chunkllama.server;

import java.util.Optional;
import org.chunkllama.TenantLimits;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.server.tenant.ApiKeys;

/**
 * How to serve.
 *
 * @param host address to listen on; 127.0.0.1 reaches this machine only, 0.0.0.0 all
 * @param port 0 = any free one
 * @param modelName what clients call the model
 * @param version of the program, for {@code /version}
 * @param keys who is let in
 * @param tls listen with TLS
 * @param limits what is taken from clients
 * @param tenantLimits what each tenant may take at once
 * @param traces where traces are sent (OTLP over HTTP); empty = nowhere
 * @param accessLog a line for each request
 */
public record ServerOptions(
    String host,
    int port,
    String modelName,
    String version,
    ApiKeys keys,
    Optional<TlsFiles> tls,
    Limits limits,
    TenantLimits tenantLimits,
    Optional<String> traces,
    boolean accessLog) {
  public ServerOptions {
    if (port < 0 || port > 65_535) {
      throw new InvalidRequestException("port must be from 0 to 65535, not " + port);
    }
    if (modelName.isBlank()) {
      throw new InvalidRequestException("modelName must not be empty");
    }
  }
}
