package org.chunkllama.server;

import io.helidon.http.Method;
import io.helidon.webserver.http.HttpRouting;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.chunkllama.server.anthropic.Messages;
import org.chunkllama.server.cache.Pins;
import org.chunkllama.server.cache.Tree;
import org.chunkllama.server.generate.Generations;
import org.chunkllama.server.generate.Model;
import org.chunkllama.server.generate.PromptLimit;
import org.chunkllama.server.http.ApiException;
import org.chunkllama.server.http.ApiException.Kind;
import org.chunkllama.server.http.Endpoint;
import org.chunkllama.server.http.ErrorFormat;
import org.chunkllama.server.http.Gate;
import org.chunkllama.server.http.Gate.Access;
import org.chunkllama.server.http.Service;
import org.chunkllama.server.metrics.Metrics;
import org.chunkllama.server.openai.ChatCompletions;
import org.chunkllama.server.openai.Completions;
import org.chunkllama.server.openai.Models;
import org.chunkllama.server.openai.Prefixes;
import org.chunkllama.server.openai.Requests;
import org.chunkllama.server.openai.Retention;
import org.chunkllama.server.openai.Tokenization;
import org.chunkllama.server.responses.Responses;
import org.chunkllama.server.tenant.Salts;

/** Which endpoint answers what. */
final class Routes {
  private final HttpRouting.Builder routing;
  private final Gate gate;

  private Routes(HttpRouting.Builder routing, Gate gate) {
    this.routing = routing;
    this.gate = gate;
  }

  /** Puts all endpoints into {@code routing}. */
  static void add(
      HttpRouting.Builder routing,
      Gate gate,
      Model model,
      Service service,
      Generations generations,
      PromptLimit limit,
      Metrics metrics,
      String version) {
    Routes routes = new Routes(routing, gate);
    Salts salts = new Salts();
    Requests requests = new Requests(salts);
    Pins pins = new Pins(model.llm());
    Prefixes prefixes = new Prefixes(model, pins, salts, limit);
    Retention retention = new Retention(model, pins);
    Models models = new Models(model);
    Tokenization tokenization = new Tokenization(model);
    Probes probes = new Probes(model, service, version);
    routes.post(
        "/v1/chat/completions", new ChatCompletions(model, generations, requests, retention));
    routes.post("/v1/chat/completions/render", tokenization::renderChat);
    routes.post("/v1/completions", new Completions(model, generations, requests, retention));
    routes.post("/v1/completions/render", tokenization::renderCompletion);
    routes.post("/v1/responses", new Responses(model, generations, requests, retention));
    routes.routes(
        "/v1/messages",
        Access.API,
        ErrorFormat.ANTHROPIC,
        Map.of(Method.POST, new Messages(model, generations, requests, pins)));
    routes.get("/v1/models", models::list);
    routes.get("/v1/models/{model}", models::get);
    routes.get("/v1/tree", new Tree(model.llm()));
    routes.api("/v1/prefixes", Map.of(Method.GET, prefixes::list, Method.POST, prefixes::pin));
    routes.api("/v1/prefixes/{id}", Map.of(Method.DELETE, prefixes::unpin));
    routes.post("/tokenize", tokenization::tokenize);
    routes.post("/detokenize", tokenization::detokenize);
    routes.probe("/", new Page(model, version));
    routes.probe("/health", probes::health);
    routes.probe("/ready", probes::ready);
    routes.probe("/version", probes::version);
    routes.probe("/metrics", metrics);
    routes.others();
  }

  private void post(String path, Endpoint endpoint) {
    api(path, Map.of(Method.POST, endpoint));
  }

  private void get(String path, Endpoint endpoint) {
    api(path, Map.of(Method.GET, endpoint));
  }

  private void api(String path, Map<Method, Endpoint> endpoints) {
    routes(path, Access.API, ErrorFormat.OPENAI, endpoints);
  }

  private void probe(String path, Endpoint endpoint) {
    routes(path, Access.PROBE, ErrorFormat.OPENAI, Map.of(Method.GET, endpoint));
  }

  private void routes(
      String path, Access access, ErrorFormat format, Map<Method, Endpoint> endpoints) {
    Map<Method, Endpoint> all = new HashMap<>(endpoints);
    if (endpoints.containsKey(Method.GET)) {
      all.put(Method.HEAD, endpoints.get(Method.GET)); // the body is left out when it is sent
    }
    all.forEach((method, endpoint) ->
        routing.route(method, path, gate.handler(path, access, format, endpoint)));
    String allowed =
        all.keySet().stream().map(Method::text).sorted().collect(Collectors.joining(", "));
    Endpoint wrong =
        exchange -> {
          exchange.with("Allow", allowed);
          throw ApiException.of(Kind.METHOD, null, "%s takes %s only".formatted(path, allowed));
        };
    routing.any(path, gate.handler(path, Access.PROBE, format, wrong));
  }

  private void others() {
    Endpoint unknown =
        _ -> {
          throw ApiException.of(
              Kind.NOT_FOUND, "unknown_url", "there is nothing at this path; GET / lists what is");
        };
    routing.any(gate.handler("other", Access.PROBE, ErrorFormat.OPENAI, unknown));
  }
}
