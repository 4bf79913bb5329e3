package org.chunkllama.schedule;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/** The accounts of all tenants that were ever heard of. Thread-safe. */
public final class Tenants {
  private final int chunksTotal;
  private final int chunkTokens;
  private final ConcurrentMap<String, TenantAccount> accounts = new ConcurrentHashMap<>();

  Tenants(int chunksTotal, int chunkTokens) {
    this.chunksTotal = chunksTotal;
    this.chunkTokens = chunkTokens;
  }

  TenantAccount account(String tenant) {
    return accounts.computeIfAbsent(
        tenant, name -> new TenantAccount(name, chunksTotal, chunkTokens));
  }

  /**
   * Sets a tenant's limits, for requests sent from now on.
   *
   * @param requests most that wait or run
   * @param queuedTokens most prompt tokens that wait
   * @param poolShare part of the pool that it may hold, above 0 to 1
   */
  public void limit(String tenant, int requests, long queuedTokens, double poolShare) {
    account(tenant).limit(requests, queuedTokens, poolShare);
  }
}
