package org.chunkllama.text;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import org.chunkllama.error.UnsupportedModelException;
import org.jspecify.annotations.Nullable;

/**
 * Loads the native library of Hugging Face's tokenizers, once.
 *
 * <p>DJL's own loader is not used: it reports each start to a telemetry server, looks for GPUs,
 * downloads a build for those it finds, and unpacks into a hidden folder of its own in the user's
 * home. Here the build in the jar is unpacked into ChunkLlama's cache folder, and nothing is
 * fetched.
 */
final class NativeTokenizers {
  private static final System.Logger LOG = System.getLogger(NativeTokenizers.class.getName());
  private static final String RESOURCES = "/native/lib/";

  /** What a Windows build needs to find loaded before it. */
  private static final List<String> WINDOWS_RUNTIME =
      List.of("libwinpthread-1.dll", "libgcc_s_seh-1.dll", "libstdc++-6.dll");

  private static @Nullable TokenizersLibrary library;

  private NativeTokenizers() {}

  /**
   * The library's functions.
   *
   * @throws UnsupportedModelException where there is no build for this machine or it cannot be
   *     loaded
   */
  static synchronized TokenizersLibrary library() {
    if (library == null) {
      load();
      library = TokenizersLibrary.LIB;
    }
    return library;
  }

  private static void load() {
    String platform = platform();
    try {
      Path folder = folder().resolve(version() + "-" + platform);
      for (Path file : unpack(platform, folder)) {
        System.load(file.toString());
      }
    } catch (IOException | UnsatisfiedLinkError e) {
      throw new UnsupportedModelException(
          "the native tokenizers library cannot be loaded on "
              + platform
              + " ("
              + e.getMessage()
              + "); set CHUNKLLAMA_HOME to a folder that can be written to and that may hold"
              + " libraries, or use a GGUF file with a SentencePiece vocabulary, which needs none",
          e);
    }
  }

  /** The library's files in load order, unpacked where they are not yet. */
  private static List<Path> unpack(String platform, Path folder) throws IOException {
    var names = new ArrayList<String>();
    if (platform.startsWith("win")) {
      names.addAll(WINDOWS_RUNTIME);
    }
    names.add(System.mapLibraryName("tokenizers"));
    var files = new ArrayList<Path>();
    for (String name : names) {
      String resource = RESOURCES + platform + "/cpu/" + name;
      URL source = TokenizersLibrary.class.getResource(resource);
      if (source == null) {
        throw new UnsupportedModelException(
            "there is no native tokenizers library for "
                + platform
                + "; use a GGUF file with a SentencePiece vocabulary, which needs none");
      }
      files.add(unpack(source, folder.resolve(name)));
    }
    return files;
  }

  /** Several processes may unpack at once, and one may die amid it: hence size check and move. */
  private static Path unpack(URL source, Path file) throws IOException {
    if (Files.exists(file) && Files.size(file) == source.openConnection().getContentLengthLong()) {
      return file;
    }
    Files.createDirectories(file.toAbsolutePath().getParent());
    LOG.log(System.Logger.Level.INFO, "unpacking the native tokenizers library to {0}", file);
    Path part = Files.createTempFile(file.toAbsolutePath().getParent(), "unpack", ".part");
    try (InputStream in = source.openStream()) {
      Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(part);
    }
    return file;
  }

  /** ChunkLlama's cache folder, or a temporary one where that cannot be written to. */
  private static Path folder() throws IOException {
    Path folder = cacheFolder().resolve("native").toAbsolutePath();
    try {
      Files.createDirectories(folder);
      if (Files.isWritable(folder)) {
        return folder;
      }
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "no cache folder", e);
    }
    Path temporary = Files.createTempDirectory("chunkllama-native");
    LOG.log(
        System.Logger.Level.WARNING,
        "cannot write to {0}; unpacking to {1} instead (set CHUNKLLAMA_HOME to keep it)",
        folder,
        temporary);
    return temporary;
  }

  private static Path cacheFolder() {
    String home = System.getenv("CHUNKLLAMA_HOME");
    if (home != null && !home.isBlank()) {
      return Path.of(home);
    }
    String cache = System.getenv("XDG_CACHE_HOME");
    Path caches =
        cache != null && !cache.isBlank()
            ? Path.of(cache)
            : Path.of(System.getProperty("user.home"), ".cache");
    return caches.resolve("chunkllama");
  }

  private static String version() throws IOException {
    try (InputStream in =
        TokenizersLibrary.class.getResourceAsStream(RESOURCES + "tokenizers.properties")) {
      if (in == null) {
        throw new IOException("the tokenizers jar is incomplete: tokenizers.properties is missing");
      }
      var properties = new Properties();
      properties.load(in);
      return "tokenizers-" + properties.getProperty("version", "unknown");
    }
  }

  /** As the jar names its folders, such as {@code linux-x86_64}. */
  private static String platform() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch");
    String family = os.startsWith("win") ? "win" : os.startsWith("mac") ? "osx" : "linux";
    return family + "-" + (arch.equals("amd64") ? "x86_64" : arch);
  }
}
