package org.chunkllama.server;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.chunkllama.Llm;
import org.chunkllama.LlmOptions;
import org.chunkllama.TenantLimits;
import org.chunkllama.files.RandomModel;
import org.chunkllama.prefix.TreeSnapshot;
import org.chunkllama.server.tenant.ApiKeys;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendOptions.Precision;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A server with a small random model, on a free port, and a client for it. */
final class TestServer implements AutoCloseable {
  static final JsonMapper JSON = JsonMapper.builder().build();

  private final Path folder;
  final Llm llm;
  final ChatServer server;
  final HttpClient client = HttpClient.newHttpClient();

  TestServer() {
    this(options -> options, options -> options);
  }

  TestServer(UnaryOperator<LlmOptions> model, UnaryOperator<ServerOptions> serving) {
    this(Optional.empty(), model, serving);
  }

  /** A server whose model has another chat template. */
  static TestServer withTemplate(String template) {
    return new TestServer(Optional.of(template), options -> options, options -> options);
  }

  private TestServer(
      Optional<String> template,
      UnaryOperator<LlmOptions> model,
      UnaryOperator<ServerOptions> serving) {
    try {
      folder = Files.createTempDirectory("chunkllama-server");
      RandomModel random = new RandomModel(RandomModel.llama(), 7);
      random.writeHuggingFace(folder);
      if (template.isPresent()) {
        Files.writeString(
            folder.resolve("tokenizer_config.json"),
            JSON.writeValueAsString(
                Map.of("eos_token", "<|im_end|>", "chat_template", template.get())));
      }
      LlmOptions options =
          LlmOptions.defaults()
              .withBackendOptions(BackendOptions.defaults().withPrecision(Precision.FP32))
              .withPoolBytes(8 << 20)
              .withChunkTokens(16)
              .withQueueCapacity(64);
      llm = Llm.load(folder, model.apply(options));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    server = ChatServer.start(llm, serving.apply(options(ApiKeys.none(), Limits.defaults())));
  }

  static ServerOptions options(ApiKeys keys, Limits limits) {
    return options("127.0.0.1", 0, keys, limits, Optional.empty());
  }

  static ServerOptions options(
      String host, int port, ApiKeys keys, Limits limits, Optional<String> traces) {
    return new ServerOptions(
        host,
        port,
        "random",
        "test",
        keys,
        Optional.empty(),
        limits,
        TenantLimits.none(),
        traces,
        false);
  }

  URI uri(String path) {
    return URI.create("http://127.0.0.1:" + server.port() + path);
  }

  HttpResponse<String> get(String path) {
    return send(HttpRequest.newBuilder(uri(path)).build());
  }

  HttpResponse<String> post(String path, String body) {
    return send(request(path, body).build());
  }

  HttpRequest.Builder request(String path, String body) {
    return HttpRequest.newBuilder(uri(path))
        .header("Content-Type", "application/json")
        .timeout(Duration.ofSeconds(60))
        .POST(BodyPublishers.ofString(body));
  }

  HttpResponse<String> send(HttpRequest request) {
    try {
      return client.send(request, BodyHandlers.ofString());
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The JSON of an answer that must be 200. */
  JsonNode json(String path, Map<String, ?> body) {
    HttpResponse<String> response = post(path, JSON.writeValueAsString(body));
    if (response.statusCode() != 200) {
      throw new AssertionError(response.statusCode() + " " + response.body());
    }
    return JSON.readTree(response.body());
  }

  /** The events of a streamed answer that must be 200, without the last, which must be [DONE]. */
  List<JsonNode> events(String path, Map<String, ?> body) {
    HttpResponse<String> response = post(path, JSON.writeValueAsString(body));
    if (response.statusCode() != 200) {
      throw new AssertionError(response.statusCode() + " " + response.body());
    }
    List<String> data =
        response
            .body()
            .lines()
            .filter(line -> line.startsWith("data: "))
            .map(line -> line.substring(6))
            .toList();
    if (!data.getLast().equals("[DONE]")) {
      throw new AssertionError("no [DONE]: " + response.body());
    }
    return data.subList(0, data.size() - 1).stream().map(JSON::readTree).toList();
  }

  /** Waits until no request runs, then checks that all chunks are accounted for. */
  void awaitIdle() {
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (server.openRequests() > 0 || llm.stats().running() + llm.stats().waiting() > 0) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError(
            "%d HTTP requests, %s".formatted(server.openRequests(), llm.stats()));
      }
      Thread.onSpinWait();
    }
    TreeSnapshot tree = llm.tree(false);
    if (tree.chunksLive() != 0 || tree.chunksFree() + tree.chunksRetained() != tree.chunksTotal()) {
      throw new AssertionError(tree.toString());
    }
  }

  static Map<String, Object> chat(String user, Map<String, ?> more) {
    Map<String, Object> body = new java.util.LinkedHashMap<>();
    body.put("model", "random");
    body.put("messages", List.of(Map.of("role", "user", "content", user)));
    body.put("max_tokens", 12);
    body.put("temperature", 0);
    body.putAll(more);
    return body;
  }

  static Map<String, Object> completion(Object prompt, Map<String, ?> more) {
    Map<String, Object> body = new java.util.LinkedHashMap<>();
    body.put("model", "random");
    body.put("prompt", prompt);
    body.put("max_tokens", 12);
    body.put("temperature", 0);
    body.putAll(more);
    return body;
  }

  @Override
  public void close() {
    client.close();
    server.close();
    llm.close();
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
      Files.delete(folder);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
