package org.chunkllama.server.tenant;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.chunkllama.error.InvalidRequestException;

/**
 * API keys, each of a tenant; only their hashes are kept, and looking one up takes the same time
 * whatever it begins with.
 */
public final class ApiKeys {
  private static final ApiKeys NONE = new ApiKeys(Map.of());

  private final Map<String, Tenant> byHash;

  private ApiKeys(Map<String, Tenant> byHash) {
    this.byHash = Map.copyOf(byHash);
  }

  /** No keys: everybody is let in as {@link Tenant#ANYONE}. */
  public static ApiKeys none() {
    return NONE;
  }

  /** One key. */
  public static ApiKeys of(Map<String, String> tenantsByKey) {
    Map<String, Tenant> all = new HashMap<>();
    tenantsByKey.forEach((key, tenant) -> all.put(hash(key), new Tenant(tenant)));
    return new ApiKeys(all);
  }

  /**
   * Reads a file with a line for each key: {@code tenant: key}, or a key alone, which is a tenant
   * of its own. Empty lines and lines that begin with # do not count.
   *
   * @throws InvalidRequestException if a line is neither, or a key occurs twice; names the line
   */
  public static ApiKeys read(Path file) throws IOException {
    Map<String, Tenant> all = new HashMap<>();
    List<String> lines = Files.readAllLines(file, StandardCharsets.UTF_8);
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      int colon = line.indexOf(':');
      String key = line.substring(colon + 1).strip();
      String tenant = colon < 0 ? "key-" + hash(key).substring(0, 8) : line.substring(0, colon);
      if (key.length() < 8 || tenant.isBlank()) {
        throw new InvalidRequestException(
            "%s, line %d: write 'tenant: key' with a key of 8 characters or more"
                .formatted(file, i + 1));
      }
      if (all.put(hash(key), new Tenant(tenant.strip())) != null) {
        throw new InvalidRequestException(
            "%s, line %d: this key is there twice".formatted(file, i + 1));
      }
    }
    if (all.isEmpty()) {
      throw new InvalidRequestException(file + " holds no key; write lines 'tenant: key'");
    }
    return new ApiKeys(all);
  }

  /** Whether a key is needed. */
  public boolean areRequired() {
    return !byHash.isEmpty();
  }

  /** The tenants that have a key. */
  public Set<Tenant> tenants() {
    return new LinkedHashSet<>(byHash.values());
  }

  /** Whose key this is. */
  public Optional<Tenant> tenant(String key) {
    return Optional.ofNullable(byHash.get(hash(key)));
  }

  private static String hash(String key) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(sha.digest(key.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
