package org.chunkllama.server.openai;

import java.time.Duration;
import org.chunkllama.GenerationRequest;
import org.chunkllama.Prompt;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.server.http.JsonFields;
import org.chunkllama.server.tenant.Salts;
import org.chunkllama.server.tenant.Tenant;

/** From parsed fields to requests to the engine, each under its tenant's salt. */
public final class Requests {
  private static final double MAX_DEADLINE_SECONDS = 86_400;

  private final Salts salts;

  public Requests(Salts salts) {
    this.salts = salts;
  }

  /**
   * A request.
   *
   * @param fields where {@code cache_salt}, {@code priority} (as in vLLM, lower goes first) and
   *     {@code deadline} (seconds) are looked for; {@code prompt_cache_key} is a hint for servers
   *     with many caches and narrows nothing here
   */
  public GenerationRequest of(
      Tenant tenant, Prompt prompt, GenerationOptions options, JsonFields fields) {
    fields.string("prompt_cache_key");
    fields.string("user");
    String salt = salts.of(tenant, fields.string("cache_salt").orElse(""));
    int priority =
        -fields
            .integer(
                "priority", -GenerationRequest.MOST_PRIORITY, -GenerationRequest.LEAST_PRIORITY)
            .orElse(0);
    double deadline = fields.number("deadline", 0, MAX_DEADLINE_SECONDS).orElse(0);
    return GenerationRequest.of(prompt)
        .withOptions(options)
        .withSalt(salt)
        .withTenant(tenant.name())
        .withPriority(priority)
        .withDeadline(duration(deadline));
  }

  /** Of seconds, rounded up: a time above 0 must not become the 0 that stands for none. */
  static Duration duration(double seconds) {
    return Duration.ofNanos((long) Math.ceil(1e9 * seconds));
  }
}
