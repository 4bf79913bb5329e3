package org.chunkllama.server.openai;

import java.time.Duration;
import org.chunkllama.Prompt;
import org.chunkllama.server.cache.Pins;
import org.chunkllama.server.generate.Model;
import org.chunkllama.server.generate.PromptLimit;
import org.chunkllama.server.http.ApiException;
import org.chunkllama.server.http.ApiException.Kind;
import org.chunkllama.server.http.Exchange;
import org.chunkllama.server.http.Json;
import org.chunkllama.server.http.JsonFields;
import org.chunkllama.server.tenant.Salts;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code /v1/prefixes}: a tenant lists, pins and unpins its prefixes. */
public final class Prefixes {
  private static final double MAX_TTL_SECONDS = 30 * 86_400;

  private final Model model;
  private final Pins pins;
  private final Salts salts;
  private final PromptLimit limit;

  public Prefixes(Model model, Pins pins, Salts salts, PromptLimit limit) {
    this.model = model;
    this.pins = pins;
    this.salts = salts;
    this.limit = limit;
  }

  /** {@code GET}. */
  public void list(Exchange exchange) {
    ObjectNode json = Json.object();
    json.put("object", "list");
    ArrayNode data = json.putArray("data");
    pins.of(exchange.tenant()).forEach(prefix -> data.add(json(prefix)));
    exchange.send(json);
  }

  /** {@code POST}: a text in {@code prompt}, or {@code messages}; {@code ttl} in seconds. */
  public void pin(Exchange exchange) {
    JsonFields fields = exchange.json();
    model.check(fields);
    Prompt prompt =
        fields.has("messages")
            ? ChatMessages.prompt(fields)
            : new Prompt.Raw(fields.requiredString("prompt"), true);
    limit.check(prompt);
    double ttl = fields.number("ttl", 0, MAX_TTL_SECONDS).orElse(0);
    String salt = salts.of(exchange.tenant(), fields.string("cache_salt").orElse(""));
    Duration time = Requests.duration(ttl);
    exchange.send(json(pins.pin(exchange, prompt, salt, time)));
  }

  /** {@code DELETE}. */
  public void unpin(Exchange exchange) {
    String id = exchange.path("id");
    if (!id.matches("\\d{1,18}") || !pins.unpin(exchange.tenant(), Long.parseLong(id))) {
      throw ApiException.of(
          Kind.NOT_FOUND, "prefix_not_found", "there is no prefix %s of yours".formatted(id));
    }
    exchange.send(Json.object().put("id", id).put("object", "prefix").put("deleted", true));
  }

  private static ObjectNode json(Pins.Pinned prefix) {
    ObjectNode json = Json.object();
    json.put("id", Long.toString(prefix.id()));
    json.put("object", "prefix");
    json.put("tokens", prefix.tokens());
    json.put("expires_in", prefix.timeLeft().map(time -> time.toMillis() / 1e3).orElse(null));
    return json;
  }
}
