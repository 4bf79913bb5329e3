package org.chunkllama.server.generate;

import org.chunkllama.Llm;
import org.chunkllama.server.http.ApiException;
import org.chunkllama.server.http.ApiException.Kind;
import org.chunkllama.server.http.JsonFields;

/**
 * The model that is served.
 *
 * @param llm the model
 * @param name what clients call it
 * @param created when it was loaded, seconds since 1970
 */
public record Model(Llm llm, String name, long created) {
  /**
   * Checks that a request means this model; one that names none does.
   *
   * @throws ApiException if it names another
   */
  public void check(JsonFields request) {
    request.string("model").ifPresent(this::check);
  }

  /** The same of a name. */
  public void check(String wanted) {
    if (!wanted.equals(name)) {
      throw ApiException.of(
          Kind.NOT_FOUND,
          "model_not_found",
          "the model '%s' does not exist here; this server has '%s'".formatted(wanted, name));
    }
  }
}
