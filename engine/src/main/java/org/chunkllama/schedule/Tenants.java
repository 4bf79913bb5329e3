package org.chunkllama.schedule;

import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.stream.Collectors;

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
   * Does nothing if the tenants may ever send these together.
   *
   * @throws org.chunkllama.error.InvalidRequestException if one may not, however idle it is
   */
  void checkTogether(List<EngineRequest> requests) {
    requests.stream()
        .collect(Collectors.groupingBy(request -> request.terms().tenant()))
        .forEach((tenant, own) ->
            account(tenant)
                .checkTogether(
                    own.size(), own.stream().mapToLong(one -> one.prompt().length).sum()));
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
