package org.chunkllama;

import java.time.Duration;
import org.chunkllama.error.InvalidRequestException;

/**
 * How to keep a prefix.
 *
 * @param salt requests of equal salt share it
 * @param tenant whose share of the pool it counts against
 * @param ttl how long; zero = until closed
 */
public record PrefixOptions(String salt, String tenant, Duration ttl) {
  private static final PrefixOptions DEFAULTS = new PrefixOptions("", "", Duration.ZERO);

  public PrefixOptions {
    if (ttl.isNegative()) {
      throw new InvalidRequestException("ttl must not be negative (0 = until closed): " + ttl);
    }
  }

  public static PrefixOptions defaults() {
    return DEFAULTS;
  }

  public PrefixOptions withSalt(String salt) {
    return new PrefixOptions(salt, tenant, ttl);
  }

  public PrefixOptions withTenant(String tenant) {
    return new PrefixOptions(salt, tenant, ttl);
  }

  public PrefixOptions withTtl(Duration ttl) {
    return new PrefixOptions(salt, tenant, ttl);
  }
}
