package org.chunkllama.cuda;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Cubins in a folder, each under the SHA-256 of all that it was made from. Files appear by an
 * atomic rename: several processes may start at once.
 */
final class KernelCache {
  private static final System.Logger LOG = System.getLogger(KernelCache.class.getName());

  private static final int ELF = 0x464c457f; // 0x7f, E, L, F
  private static final int HEADER_BYTES = 64;

  private final Path folder;

  KernelCache(Path folder) {
    this.folder = folder;
  }

  /** {@code $CHUNKLLAMA_HOME/cuda}, else {@code chunkllama/cuda} in the user's cache folder. */
  static Path userFolder() {
    String home = System.getenv("CHUNKLLAMA_HOME");
    if (home != null && !home.isBlank()) {
      return Path.of(home, "cuda");
    }
    String cache = System.getenv("XDG_CACHE_HOME");
    if (cache != null && !cache.isBlank()) {
      return Path.of(cache, "chunkllama", "cuda");
    }
    return Path.of(System.getProperty("user.home"), ".cache", "chunkllama", "cuda");
  }

  /** Hash of everything that decides what comes out of the compiler. */
  static String key(
      String version, String source, Map<String, String> headers, List<String> options) {
    MessageDigest digest = sha256();
    add(digest, version);
    add(digest, source);
    headers.forEach((name, text) -> {
      add(digest, name);
      add(digest, text);
    });
    options.forEach(option -> add(digest, option));
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  private static void add(MessageDigest digest, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    digest.update((bytes.length + ":").getBytes(StandardCharsets.UTF_8)); // no two lists alike
    digest.update(bytes);
  }

  /**
   * What is stored under {@code key}, or what {@code make} gives, stored for the next time. A file
   * that is not whole is made anew.
   */
  byte[] get(String key, Supplier<byte[]> make) {
    Path file = folder.resolve(key + ".cubin");
    try {
      byte[] kept = Files.readAllBytes(file);
      if (isWhole(kept)) {
        return kept;
      }
      LOG.log(System.Logger.Level.WARNING, "kernel {0} is broken: compiled anew", file);
    } catch (IOException _) {
      // not there, or not to be read
    }
    byte[] made = make.get();
    store(file, made);
    return made;
  }

  /** Whether a cubin, an ELF file, has all that its header says. */
  static boolean isWhole(byte[] cubin) {
    if (cubin.length < HEADER_BYTES) {
      return false;
    }
    ByteBuffer header = ByteBuffer.wrap(cubin).order(ByteOrder.LITTLE_ENDIAN);
    return header.getInt(0) == ELF
        && has(cubin, header.getLong(32), header.getShort(54), header.getShort(56))
        && has(cubin, header.getLong(40), header.getShort(58), header.getShort(60));
  }

  private static boolean has(byte[] cubin, long tableOffset, int entryBytes, int entries) {
    return tableOffset >= 0 && tableOffset <= cubin.length - (long) entryBytes * entries;
  }

  private void store(Path file, byte[] content) {
    try {
      WholeFile.write(file, content);
    } catch (IOException e) {
      // Works without, only slower at the next start.
      LOG.log(System.Logger.Level.WARNING, "compiled kernels cannot be kept in " + folder, e);
    }
  }
}
