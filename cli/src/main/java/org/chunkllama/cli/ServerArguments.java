package org.chunkllama.cli;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.chunkllama.TenantLimits;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.server.Limits;
import org.chunkllama.server.ServerOptions;
import org.chunkllama.server.TlsFiles;
import org.chunkllama.server.tenant.ApiKeys;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Where to listen, whom to let in, and what to take from clients. */
final class ServerArguments {
  @Spec(Spec.Target.MIXEE)
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      defaultValue = "127.0.0.1",
      description =
          "Address to listen on; 0.0.0.0 for all. Default: ${DEFAULT-VALUE}, this machine only.")
  private String host = "127.0.0.1";

  @Option(
      names = "--port",
      paramLabel = "N",
      defaultValue = "8080",
      description = "Port to listen on; 0 = any free one. Default: ${DEFAULT-VALUE}.")
  private int port;

  @Option(
      names = "--served-model-name",
      paramLabel = "NAME",
      description = "What clients call the model. Default: as --model calls it.")
  private @Nullable String modelName;

  @Option(
      names = "--api-key",
      paramLabel = "KEY",
      description =
          "Let in only who sends this key. Others can see it in the list of processes: better set"
              + " CHUNKLLAMA_API_KEY, or --api-keys.")
  private @Nullable String apiKey;

  @Option(
      names = "--api-keys",
      paramLabel = "FILE",
      description =
          "Let in only who sends one of these keys: lines of 'tenant: key'. Tenants share no"
              + " prefixes.")
  private @Nullable Path apiKeys;

  @Option(
      names = "--tls-certificate",
      paramLabel = "FILE",
      description = "Listen with TLS: certificate chain, PEM.")
  private @Nullable Path tlsCertificate;

  @Option(names = "--tls-key", paramLabel = "FILE", description = "Its key: PEM, PKCS #8.")
  private @Nullable Path tlsKey;

  @Option(
      names = "--tenant-requests",
      paramLabel = "N",
      description = "Most requests of one tenant that wait or run; more: 429. Default: no limit.")
  private int tenantRequests = Integer.MAX_VALUE;

  @Option(
      names = "--tenant-queued-tokens",
      paramLabel = "N",
      description = "Most prompt tokens of one tenant that wait; more: 429. Default: no limit.")
  private long tenantQueuedTokens = Long.MAX_VALUE;

  @Option(
      names = "--tenant-pool-share",
      paramLabel = "PART",
      defaultValue = "1",
      description =
          "Part of the memory for keys and values that one tenant may hold, up to 1. Default:"
              + " ${DEFAULT-VALUE}.")
  private double tenantPoolShare = 1;

  @Option(
      names = "--max-connections",
      paramLabel = "N",
      defaultValue = "2048",
      description = "More are answered with 503 and closed. Default: ${DEFAULT-VALUE}.")
  private int maxConnections;

  @Option(
      names = "--max-body",
      paramLabel = "SIZE",
      defaultValue = "16m",
      converter = Sizes.Converter.class,
      description = "Longest body of a request. Default: ${DEFAULT-VALUE}.")
  private long maxBody;

  @Option(
      names = "--max-header",
      paramLabel = "SIZE",
      defaultValue = "32k",
      converter = Sizes.Converter.class,
      description = "Longest head of a request. Default: ${DEFAULT-VALUE}.")
  private long maxHeader;

  @Option(
      names = "--max-prompt-tokens",
      paramLabel = "N",
      defaultValue = "0",
      description = "Longest prompt. Default: as long as the context.")
  private int maxPromptTokens;

  @Option(
      names = "--request-timeout",
      paramLabel = "TIME",
      defaultValue = "30s",
      converter = Durations.class,
      description = "For a request to arrive from first byte to last. Default: ${DEFAULT-VALUE}.")
  private Duration requestTimeout = Duration.ofSeconds(30);

  @Option(
      names = "--write-timeout",
      paramLabel = "TIME",
      defaultValue = "30s",
      converter = Durations.class,
      description =
          "For a client to take a part of its answer; then it is cut off and its memory freed."
              + " Default: ${DEFAULT-VALUE}.")
  private Duration writeTimeout = Duration.ofSeconds(30);

  @Option(
      names = "--idle-timeout",
      paramLabel = "TIME",
      defaultValue = "5m",
      converter = Durations.class,
      description = "For connections between two requests. Default: ${DEFAULT-VALUE}.")
  private Duration idleTimeout = Duration.ofMinutes(5);

  @Option(
      names = "--traces",
      paramLabel = "URL",
      description =
          "Send a trace of each request to an OpenTelemetry collector, such as"
              + " http://localhost:4318/v1/traces.")
  private @Nullable String traces;

  @Option(
      names = "--no-access-log",
      description = "No line for each request. Prompts are never logged.")
  private boolean noAccessLog;

  /**
   * The same as the library takes them.
   *
   * @param model what --model says
   * @throws ParameterException if they contradict each other or are out of range
   */
  ServerOptions serverOptions(String model) throws IOException {
    try {
      Limits limits =
          new Limits(
              maxConnections,
              maxBody,
              Math.toIntExact(maxHeader),
              maxPromptTokens,
              requestTimeout,
              writeTimeout,
              idleTimeout);
      return new ServerOptions(
          host,
          port,
          modelName != null ? modelName : shortName(model),
          Version.number(),
          keys(),
          tls(),
          limits,
          new TenantLimits(tenantRequests(), tenantQueuedTokens, tenantPoolShare),
          traces(),
          !noAccessLog);
    } catch (InvalidRequestException | ArithmeticException e) {
      throw new ParameterException(
          spec.commandLine(), OptionNames.in(String.valueOf(e.getMessage())), e);
    }
  }

  private ApiKeys keys() throws IOException {
    if (apiKey != null && apiKeys != null) {
      throw new InvalidRequestException("give --api-key or --api-keys, not both");
    }
    if (apiKeys != null) {
      return ApiKeys.read(apiKeys);
    }
    return apiKey == null ? ApiKeys.none() : ApiKeys.of(Map.of(apiKey, "default"));
  }

  private int tenantRequests() {
    if (tenantRequests < 1) {
      throw new InvalidRequestException(
          "--tenant-requests must be 1 or more, not " + tenantRequests);
    }
    return tenantRequests;
  }

  private Optional<String> traces() {
    String url = traces;
    if (url == null) {
      return Optional.empty();
    }
    try {
      URI uri = new URI(url);
      boolean http = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
      if (http && uri.getHost() != null) {
        return Optional.of(url);
      }
    } catch (URISyntaxException _) {
      // said below
    }
    throw new InvalidRequestException(
        "--traces must be a URL such as http://localhost:4318/v1/traces, not '%s'".formatted(url));
  }

  private Optional<TlsFiles> tls() {
    if (tlsCertificate == null && tlsKey == null) {
      return Optional.empty();
    }
    if (tlsCertificate == null || tlsKey == null) {
      throw new InvalidRequestException("TLS needs both --tls-certificate and --tls-key");
    }
    return Optional.of(new TlsFiles(tlsCertificate, tlsKey));
  }

  /** Of a path the last part, without .gguf; other names as they are. */
  private static String shortName(String model) {
    if (!Files.exists(Path.of(model))) {
      return model;
    }
    Path name = Path.of(model).toAbsolutePath().normalize().getFileName();
    return String.valueOf(name).replaceFirst("\\.gguf$", "");
  }
}
