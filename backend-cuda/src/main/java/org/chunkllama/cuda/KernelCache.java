package org.chunkllama.cuda;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
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

  /** What is stored under {@code key}, or what {@code make} gives, stored for the next time. */
  byte[] get(String key, Supplier<byte[]> make) {
    Path file = folder.resolve(key + ".cubin");
    try {
      return Files.readAllBytes(file);
    } catch (IOException _) {
      byte[] made = make.get();
      store(file, made);
      return made;
    }
  }

  private void store(Path file, byte[] content) {
    try {
      Files.createDirectories(folder);
      Path part = Files.createTempFile(folder, "kernel", ".part");
      try {
        Files.write(part, content);
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(part);
      }
    } catch (IOException e) {
      // Works without, only slower at the next start.
      LOG.log(System.Logger.Level.WARNING, "compiled kernels cannot be kept in " + folder, e);
    }
  }
}
