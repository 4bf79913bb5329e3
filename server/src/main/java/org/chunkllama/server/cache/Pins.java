package org.chunkllama.server.cache;

import java.nio.IntBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.chunkllama.Llm;
import org.chunkllama.Prefix;
import org.chunkllama.PrefixOptions;
import org.chunkllama.Prompt;
import org.chunkllama.error.ChunkLlamaException;
import org.chunkllama.prefix.TreeSnapshot;
import org.chunkllama.server.http.ApiException;
import org.chunkllama.server.http.ApiException.Kind;
import org.chunkllama.server.http.Exchange;
import org.chunkllama.server.tenant.Tenant;
import org.jspecify.annotations.Nullable;

/**
 * Pinned prefixes of tenants, whole chunks of them; all together they leave half of the pool to
 * requests. Thread-safe; nobody waits for what another one pins.
 */
public final class Pins {
  private static final int POOL_PARTS = 2;

  private static final System.Logger LOG = System.getLogger(Pins.class.getName());

  private final Llm llm;
  private final int chunkTokens;
  private final long tokensMax;
  private final Map<Place.Key, Place> places = new LinkedHashMap<>(); // guarded by this
  private long ids;

  public Pins(Llm llm) {
    this.llm = llm;
    TreeSnapshot tree = llm.tree(false);
    chunkTokens = tree.chunkTokens();
    tokensMax = (long) tree.chunksTotal() * chunkTokens / POOL_PARTS;
  }

  /**
   * A prefix that is kept.
   *
   * @param id its name
   * @param tokens that are kept: of whole chunks
   * @param timeLeft empty = until unpinned
   */
  public record Pinned(long id, int tokens, Optional<Duration> timeLeft) {}

  /**
   * Computes a prefix and keeps it, as long as its client waits for that; one that is there already
   * is kept for the new time, under the same id.
   *
   * @param exchange of the tenant
   * @param salt of the requests that share it
   * @param ttl zero = until unpinned
   * @throws ApiException if there is no whole chunk of it, or pins would take too much of the pool
   * @throws ChunkLlamaException if the queue is full, or it cannot be computed
   */
  public Pinned pin(Exchange exchange, Prompt prompt, String salt, Duration ttl) {
    Place.Key key = key(llm.encodePrefix(prompt), salt);
    Place place = begin(key, exchange.tenant());
    try {
      Prefix kept = compute(place, key, ttl, exchange::whenGone).join();
      return new Pinned(place.id, place.tokens, kept.timeLeft());
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  /**
   * Keeps what a request has computed, as far as there is room: a wish, so that nothing fails or
   * waits where there is none. Asked again, the time begins anew; it never ends sooner than before.
   */
  public void keep(Tenant tenant, int[] prefix, String salt, Duration ttl) {
    try {
      Place.Key key = key(prefix, salt);
      if (!isKeptLonger(key, ttl)) {
        Place place = begin(key, tenant);
        var _ =
            compute(place, key, ttl, _ -> {})
                .whenComplete((_, error) -> {
                  if (error != null) {
                    notKept(error);
                  }
                });
      }
    } catch (ApiException | ChunkLlamaException e) {
      notKept(e);
    }
  }

  private static void notKept(Throwable why) {
    LOG.log(System.Logger.Level.DEBUG, "a prefix is not kept", why);
  }

  /** Whole chunks only, since no others are pinned. */
  private Place.Key key(int[] prefix, String salt) {
    int whole = prefix.length / chunkTokens * chunkTokens;
    if (whole == 0) {
      throw ApiException.badRequest(
          "a prefix of %d tokens, of which only chunks of %d are kept; give a longer one"
              .formatted(prefix.length, chunkTokens),
          null);
    }
    if (whole > tokensMax) {
      throw ApiException.badRequest(
          "a prefix of %d tokens; pinned prefixes may hold %d, half of the pool; give a shorter one"
              .formatted(prefix.length, tokensMax),
          null);
    }
    return new Place.Key(salt, IntBuffer.wrap(Arrays.copyOf(prefix, whole)));
  }

  private synchronized boolean isKeptLonger(Place.Key key, Duration ttl) {
    Place place = places.get(key);
    return place != null && place.outlasts(ttl);
  }

  /** Takes room for a prefix, unless it has it. */
  private synchronized Place begin(Place.Key key, Tenant tenant) {
    places.values().removeIf(Place::isEmpty);
    Place place = places.get(key);
    if (place == null) {
      int tokens = key.tokens().remaining();
      long held = places.values().stream().mapToLong(p -> p.tokens).sum();
      if (held + tokens > tokensMax) {
        throw ApiException.retry(
            Kind.BUSY,
            "pins_full",
            "pinned prefixes may hold %d tokens together, and hold %d; unpin some"
                .formatted(tokensMax, held),
            Duration.ofSeconds(10));
      }
      place = new Place(++ids, tenant.name(), tokens);
      places.put(key, place);
    }
    place.begin();
    return place;
  }

  /**
   * Computes what {@link #begin} took room for; the room is given back if that fails.
   *
   * @param whenUnwanted told what ends the computation
   */
  private CompletableFuture<Prefix> compute(
      Place place, Place.Key key, Duration ttl, Consumer<Runnable> whenUnwanted) {
    PrefixOptions options =
        PrefixOptions.defaults().withTenant(place.tenant).withSalt(key.salt()).withTtl(ttl);
    CompletableFuture<Prefix> computed;
    try {
      computed = llm.tryPrefix(new Prompt.Tokens(key.tokens().array()), options);
    } catch (RuntimeException e) {
      end(place, null);
      throw e;
    }
    CompletableFuture<Prefix> ended = computed.whenComplete((prefix, _) -> end(place, prefix));
    whenUnwanted.accept(() -> computed.cancel(false));
    return ended;
  }

  private void end(Place place, @Nullable Prefix computed) {
    Prefix before = null;
    synchronized (this) {
      place.end();
      if (computed != null) {
        before = place.replace(computed);
      }
    }
    close(before);
  }

  private static boolean close(@Nullable Prefix prefix) {
    if (prefix != null) {
      prefix.close();
    }
    return prefix != null;
  }

  /** A tenant's own pins, oldest first. */
  public synchronized List<Pinned> of(Tenant tenant) {
    return places.values().stream()
        .filter(place -> place.tenant.equals(tenant.name()))
        .flatMap(Pins::pinned)
        .toList();
  }

  private static Stream<Pinned> pinned(Place place) {
    return Stream.ofNullable(place.prefix())
        .map(prefix -> new Pinned(place.id, place.tokens, prefix.timeLeft()));
  }

  /** Lets go of one of a tenant's own pins; false if it has none of this id. */
  public boolean unpin(Tenant tenant, long id) {
    return close(taken(tenant, id));
  }

  private synchronized @Nullable Prefix taken(Tenant tenant, long id) {
    for (Place place : places.values()) {
      if (place.id == id && place.tenant.equals(tenant.name()) && place.prefix() != null) {
        return place.replace(null);
      }
    }
    return null;
  }
}
