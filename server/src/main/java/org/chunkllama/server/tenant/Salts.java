package org.chunkllama.server.tenant;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Salts of the prefix tree: requests share keys and values only under the same salt. A salt is a
 * keyed hash (HMAC-SHA-256) of the tenant and of what the client adds, so that no choice of a
 * client reaches another tenant's salt; the key lives as long as the process, as the tree does.
 */
public final class Salts {
  private static final String HMAC = "HmacSHA256";

  private final SecretKeySpec key;

  public Salts() {
    byte[] secret = new byte[32];
    new SecureRandom().nextBytes(secret);
    key = new SecretKeySpec(secret, HMAC);
  }

  /**
   * The salt of a tenant's requests.
   *
   * @param narrower the client's own part: shares only with requests that have the same; may be
   *     empty
   */
  public String of(Tenant tenant, String narrower) {
    byte[] name = tenant.name().getBytes(StandardCharsets.UTF_8);
    byte[] own = narrower.getBytes(StandardCharsets.UTF_8);
    // Lengths first, or (ab, c) would equal (a, bc).
    ByteBuffer both = ByteBuffer.allocate(8 + name.length + own.length);
    both.putInt(name.length).put(name).putInt(own.length).put(own);
    try {
      Mac mac = Mac.getInstance(HMAC);
      mac.init(key);
      return HexFormat.of().formatHex(mac.doFinal(both.array()), 0, 16);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has " + HMAC, e);
    }
  }
}
