package org.chunkllama.server.cache;

import java.nio.IntBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.chunkllama.Llm;
import org.chunkllama.Prefix;
import org.chunkllama.PrefixOptions;
import org.chunkllama.Prompt;
import org.chunkllama.error.ChunkLlamaException;
import org.chunkllama.prefix.TreeSnapshot;
import org.chunkllama.server.http.ApiException;
import org.chunkllama.server.http.ApiException.Kind;
import org.chunkllama.server.tenant.Tenant;

/** Pinned prefixes of tenants; all together they leave half of the pool to requests. */
public final class Pins {
  private static final int POOL_PARTS = 2;

  private static final System.Logger LOG = System.getLogger(Pins.class.getName());

  private final Llm llm;
  private final Map<Key, Prefix> kept = new HashMap<>();
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

  /**
   * Keeps what a request has computed, as far as there is room: a wish, so that nothing fails where
   * there is none. Asked again, the time begins anew.
   */
  public synchronized void keep(Tenant tenant, int[] prefix, String salt, Duration ttl) {
    kept.values().removeIf(old -> old.timeLeft().map(Duration::isZero).orElse(false));
    Key key = new Key(salt, IntBuffer.wrap(prefix));
    try {
      Prefix again = pin(tenant, new Prompt.Tokens(prefix), salt, ttl);
      Prefix old = kept.put(key, again);
      if (old != null) {
        old.close();
      }
    } catch (ApiException | ChunkLlamaException e) {
      LOG.log(System.Logger.Level.DEBUG, "a prefix is not kept", e);
    }
  }

  /** Equal prefixes of one salt. */
  private record Key(String salt, IntBuffer tokens) {}

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
