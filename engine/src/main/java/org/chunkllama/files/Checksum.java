package org.chunkllama.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;

/**
 * What a file's bytes must hash to.
 *
 * @param kind how
 * @param hex lower-case
 */
record Checksum(Kind kind, String hex) {
  private static final int BUFFER_BYTES = 1 << 20;

  /** A way to hash. */
  enum Kind {
    SHA256,
    /** SHA-1 as git names a file: of "blob SIZE\0" and the bytes. */
    GIT_BLOB
  }

  static Checksum sha256(String hex) {
    return new Checksum(Kind.SHA256, hex.toLowerCase(Locale.ROOT));
  }

  /** The checksum that a Hugging Face ETag is: SHA-256 of large files, git's name of small ones. */
  static Optional<Checksum> ofEtag(String etag) {
    String hex = etag.replaceFirst("^W/", "").replace("\"", "").toLowerCase(Locale.ROOT);
    if (hex.matches("[0-9a-f]{64}")) {
      return Optional.of(new Checksum(Kind.SHA256, hex));
    }
    return hex.matches("[0-9a-f]{40}")
        ? Optional.of(new Checksum(Kind.GIT_BLOB, hex))
        : Optional.empty();
  }

  /** True if {@code file} hashes to this. */
  boolean matches(Path file) throws IOException {
    MessageDigest digest = digest();
    if (kind == Kind.GIT_BLOB) {
      digest.update(("blob " + Files.size(file) + "\0").getBytes(StandardCharsets.US_ASCII));
    }
    byte[] buffer = new byte[BUFFER_BYTES];
    try (InputStream in = Files.newInputStream(file)) {
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        digest.update(buffer, 0, count);
      }
    }
    return HexFormat.of().formatHex(digest.digest()).equals(hex);
  }

  private MessageDigest digest() {
    try {
      return MessageDigest.getInstance(kind == Kind.SHA256 ? "SHA-256" : "SHA-1");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e); // every Java platform has both
    }
  }
}
