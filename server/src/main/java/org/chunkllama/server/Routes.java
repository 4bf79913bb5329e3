package org.chunkllama.server;

import io.helidon.http.Method;
import io.helidon.webserver.http.HttpRouting;
import org.chunkllama.server.generate.Generations;
import org.chunkllama.server.generate.Model;
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
import org.chunkllama.server.openai.Requests;
import org.chunkllama.server.openai.Tokenization;
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
      Metrics metrics,
      String version) {
    Routes routes = new Routes(routing, gate);
    Requests requests = new Requests(new Salts());
    Models models = new Models(model);
    Tokenization tokenization = new Tokenization(model);
    Probes probes = new Probes(model, service, version);
    routes.post("/v1/chat/completions", new ChatCompletions(model, generations, requests));
    routes.post("/v1/chat/completions/render", tokenization::renderChat);
    routes.post("/v1/completions", new Completions(model, generations, requests));
    routes.post("/v1/completions/render", tokenization::renderCompletion);
    routes.get("/v1/models", models::list);
    routes.get("/v1/models/{model}", models::get);
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
    route(Method.POST, path, Access.API, endpoint);
  }

  private void get(String path, Endpoint endpoint) {
    route(Method.GET, path, Access.API, endpoint);
  }

  private void probe(String path, Endpoint endpoint) {
    route(Method.GET, path, Access.PROBE, endpoint);
  }

  private void route(Method method, String path, Access access, Endpoint endpoint) {
    routing.route(method, path, gate.handler(path, access, ErrorFormat.OPENAI, endpoint));
    Endpoint wrong =
        exchange -> {
          exchange.with("Allow", method.text());
          throw ApiException.of(
              Kind.METHOD, null, "%s takes %s only".formatted(path, method.text()));
        };
    routing.any(path, gate.handler(path, Access.PROBE, ErrorFormat.OPENAI, wrong));
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
