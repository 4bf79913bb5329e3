package org.chunkllama.bench.faults;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A well-behaved client; its connections are gone once it is closed. */
public final class Calls implements AutoCloseable {
  static final String COMPLETIONS = "/v1/completions";
  private static final JsonMapper JSON = JsonMapper.builder().build();

  /** What {@link Strangers} calls its tenants. */
  static final Map<String, String> FIRST_TENANT = key("left");

  static final Map<String, String> SECOND_TENANT = key("right");

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final String url;
  private final Map<String, String> headers;

  /** With the key of one tenant, for servers that ask for keys. */
  public Calls(ServerProcess server) {
    this(server, FIRST_TENANT);
  }

  /** With headers that every request has. */
  public Calls(ServerProcess server, Map<String, String> headers) {
    this.url = server.url();
    this.headers = headers;
  }

  private static Map<String, String> key(String tenant) {
    return Map.of("Authorization", "Bearer key-" + tenant);
  }

  /** The text of an answer. */
  public String get(String path) throws IOException, InterruptedException {
    return client.send(request(path).build(), BodyHandlers.ofString()).body();
  }

  HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
    return client.send(request(path, body), BodyHandlers.ofString());
  }

  CompletableFuture<HttpResponse<String>> send(String path, String body) {
    return client.sendAsync(request(path, body), BodyHandlers.ofString());
  }

  private HttpRequest request(String path, String body) {
    return request(path)
        .header("Content-Type", "application/json")
        .POST(BodyPublishers.ofString(body))
        .build();
  }

  private HttpRequest.Builder request(String path) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(url + path)).timeout(Duration.ofMinutes(5));
    headers.forEach(request::header);
    return request;
  }

  static JsonNode parse(String json) {
    return JSON.readTree(json);
  }

  /**
   * A request for a greedy answer of an exact length.
   *
   * @param prompt token ids
   * @param tokens generated
   */
  static Map<String, Object> completion(int[] prompt, int tokens) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("prompt", prompt);
    body.put("max_tokens", tokens);
    body.put("ignore_eos", true);
    body.put("temperature", 0);
    return body;
  }

  static String text(Map<String, ?> body) {
    return JSON.writeValueAsString(body);
  }

  /** Token ids that any model's vocabulary has, the same for the same seed. */
  static int[] prompt(long seed, int length) {
    return new Random(seed).ints(length, 300, 500).toArray();
  }

  /** The answer's text; what else an answer has differs from time to time. */
  static String answer(HttpResponse<String> response) throws FaultException {
    if (response.statusCode() != 200) {
      throw new FaultException("status " + response.statusCode() + ": " + response.body());
    }
    return parse(response.body()).get("choices").get(0).get("text").stringValue();
  }

  @Override
  public void close() {
    client.close();
  }
}
