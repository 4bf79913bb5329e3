package org.chunkllama.server.openai;

import java.time.Duration;
import org.chunkllama.GenerationRequest;
import org.chunkllama.server.cache.Pins;
import org.chunkllama.server.generate.Model;
import org.chunkllama.server.http.Exchange;
import org.chunkllama.server.http.JsonFields;

/** {@code prompt_cache_retention}: keeps a prompt for a day, if asked to and if there is room. */
public final class Retention {
  private static final String FIELD = "prompt_cache_retention";
  private static final String DAY = "24h";

  private final Model model;
  private final Pins pins;

  public Retention(Model model, Pins pins) {
    this.model = model;
    this.pins = pins;
  }

  /** Checks the field before anything is computed. */
  public void check(JsonFields fields) {
    String value = fields.string(FIELD).orElse("in_memory");
    if (!value.equals(DAY) && !value.equals("in_memory") && !value.equals("in-memory")) {
      throw fields.wrong(FIELD, "must be 'in_memory' or '24h'");
    }
  }

  /** Keeps the prompt of a request that was answered. */
  public void keep(Exchange exchange, GenerationRequest request, JsonFields fields) {
    if (fields.string(FIELD).filter(DAY::equals).isPresent()) {
      int[] prompt = model.llm().encode(request.prompt());
      pins.keep(exchange.tenant(), prompt, request.salt(), Duration.ofDays(1));
    }
  }
}
