package org.chunkllama.cpu;

import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HexFormat;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Unpacks oneDNN from {@code org.bytedeco:dnnl} into the user's cache folder, once: {@code
 * $CHUNKLLAMA_HOME}, else {@code $XDG_CACHE_HOME/chunkllama}, else {@code ~/.cache/chunkllama}. The
 * folder's name holds the content's checksum, files appear there by an atomic rename, so several
 * processes may start at once.
 */
final class OneDnnLibrary {
  static final String ONEDNN = "libdnnl.so.3";
  static final String OPENMP = "libgomp.so.1";

  private static final String RESOURCES = "org/bytedeco/dnnl/linux-x86_64/";

  private OneDnnLibrary() {}

  /** Whether the jar with the library for this platform is there. */
  static boolean isBundled() {
    return resource(ONEDNN) != null && resource(OPENMP) != null;
  }

  /**
   * The folder that holds both libraries.
   *
   * @throws IOException if they cannot be unpacked
   */
  static Path unpack() throws IOException {
    URL url = resource(ONEDNN);
    if (url == null) {
      throw new IOException("org.bytedeco:dnnl for linux-x86_64 is not on the class path");
    }
    Path folder = cache().resolve("onednn-" + checksum(url));
    Files.createDirectories(folder);
    unpack(OPENMP, folder);
    unpack(ONEDNN, folder);
    return folder;
  }

  private static void unpack(String name, Path folder) throws IOException {
    Path target = folder.resolve(name);
    if (Files.exists(target)) {
      return; // complete: it was renamed to this name when it was
    }
    URL url = resource(name);
    if (url == null) {
      throw new IOException(RESOURCES + name + " is not on the class path");
    }
    Path part = Files.createTempFile(folder, name, ".part");
    try (InputStream in = url.openStream()) {
      Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
      Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  // A jar's directory holds the checksum; reading 93 MB at each start would be felt.
  private static String checksum(URL url) throws IOException {
    URLConnection connection = url.openConnection();
    long crc =
        connection instanceof JarURLConnection jar && jar.getJarEntry() != null
            ? jar.getJarEntry().getCrc()
            : read(connection);
    return HexFormat.of().toHexDigits((int) crc);
  }

  private static long read(URLConnection connection) throws IOException {
    try (CheckedInputStream in = new CheckedInputStream(connection.getInputStream(), new CRC32())) {
      byte[] buffer = new byte[1 << 16];
      while (in.read(buffer) >= 0) {
        // the stream sums up
      }
      return in.getChecksum().getValue();
    }
  }

  private static @Nullable URL resource(String name) {
    return OneDnnLibrary.class.getClassLoader().getResource(RESOURCES + name);
  }

  private static Path cache() {
    String home = System.getenv("CHUNKLLAMA_HOME");
    if (home != null && !home.isBlank()) {
      return Path.of(home);
    }
    String cache = System.getenv("XDG_CACHE_HOME");
    if (cache != null && !cache.isBlank()) {
      return Path.of(cache, "chunkllama");
    }
    return Path.of(System.getProperty("user.home"), ".cache", "chunkllama");
  }
}
