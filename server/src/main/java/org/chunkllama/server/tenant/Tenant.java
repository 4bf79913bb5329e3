package org.chunkllama.server.tenant;

/**
 * Who asks. Tenants share no keys and values, and none sees another's.
 *
 * @param name as the key file has it
 */
public record Tenant(String name) {
  /** Everybody, where the server asks for no keys. */
  public static final Tenant ANYONE = new Tenant("anyone");
}
