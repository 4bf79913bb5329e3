package org.chunkllama.server.cache;

import java.time.Duration;
import java.util.List;
import org.chunkllama.Llm;
import org.chunkllama.Prefix;
import org.chunkllama.PrefixOptions;
import org.chunkllama.Prompt;
import org.chunkllama.prefix.TreeSnapshot;
import org.chunkllama.server.http.ApiException;
import org.chunkllama.server.http.ApiException.Kind;
import org.chunkllama.server.tenant.Tenant;

/** Pinned prefixes of tenants; all together they leave half of the pool to requests. */
public final class Pins {
  private static final int POOL_PARTS = 2;

  private final Llm llm;
  private final long tokensMax;

  public Pins(Llm llm) {
    this.llm = llm;
    TreeSnapshot tree = llm.tree(false);
    tokensMax = (long) tree.chunksTotal() * tree.chunkTokens() / POOL_PARTS;
  }

  /**
   * Computes a prefix and keeps it; one that is there already is kept for the new time.
   *
   * @param salt of the requests that share it
   * @param ttl zero = until unpinned
   * @throws ApiException if pins would take too much of the pool
   */
  public synchronized Prefix pin(Tenant tenant, Prompt prompt, String salt, Duration ttl) {
    PrefixOptions options =
        PrefixOptions.defaults().withTenant(tenant.name()).withSalt(salt).withTtl(ttl);
    checkRoom(llm.encode(prompt).length);
    return llm.prefix(prompt, options);
  }

  private void checkRoom(int tokens) {
    long held = llm.prefixes().stream().mapToLong(Prefix::tokens).sum();
    if (held + tokens > tokensMax) {
      throw ApiException.retry(
          Kind.BUSY,
          "pins_full",
          "pinned prefixes may hold %d tokens together, and hold %d; unpin some"
              .formatted(tokensMax, held),
          Duration.ofSeconds(10));
    }
  }

  /** A tenant's own pins, oldest first. */
  public List<Prefix> of(Tenant tenant) {
    return llm.prefixes().stream()
        .filter(prefix -> prefix.options().tenant().equals(tenant.name()))
        .toList();
  }

  /** Lets go of one of a tenant's own pins; false if it has none of this id. */
  public boolean unpin(Tenant tenant, long id) {
    return of(tenant).stream().anyMatch(prefix -> prefix.id() == id) && llm.unpin(id);
  }
}
