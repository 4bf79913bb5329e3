package org.chunkllama.cuda.driver;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Finds NVIDIA's libraries. Tried in order: the folders of the system property {@code
 * chunkllama.cuda.libraries} or the environment's {@code CHUNKLLAMA_CUDA_LIBRARIES} (separated by
 * colons; a folder of Python packages counts with its {@code nvidia/.../lib}), what the system's
 * loader finds by itself, and the places where a CUDA toolkit usually lies.
 */
public final class LibraryFinder {
  /** Names the folders to search first, like PATH. */
  public static final String VARIABLE = "CHUNKLLAMA_CUDA_LIBRARIES";

  private static final Pattern SEPARATOR = Pattern.compile(":");

  /** What to do where a library of the toolkit is missing. */
  static final String NAME_FOLDER = "install the CUDA toolkit, or name its folder in " + VARIABLE;

  private static final String PROPERTY = "chunkllama.cuda.libraries";
  private static final System.Logger LOG = System.getLogger(LibraryFinder.class.getName());

  private LibraryFinder() {}

  /**
   * File names of a library of the toolkit, best first: none newer than the driver, which would
   * refuse what it makes.
   *
   * @param stem such as {@code libnvrtc.so}
   */
  static String[] sonames(String stem, int driverVersion) {
    return driverVersion >= 13_000
        ? new String[] {stem + ".13", stem + ".12", stem}
        : new String[] {stem + ".12"};
  }

  /**
   * Maps the first library that can be loaded.
   *
   * @param advice what to do if there is none
   * @param sonames file names, best first
   * @throws CudaException if none can be, saying where it was looked for
   */
  static MappedLibrary map(String advice, String... sonames) {
    List<String> failures = new ArrayList<>();
    for (Path folder : given()) {
      @Nullable MappedLibrary found = inFolder(folder, sonames, failures);
      if (found != null) {
        return found;
      }
    }
    for (String soname : sonames) {
      try {
        return logged(soname, SymbolLookup.libraryLookup(soname, Arena.global()));
      } catch (IllegalArgumentException _) {
        // not on the loader's path: go on
      }
    }
    for (Path folder : usual()) {
      @Nullable MappedLibrary found = inFolder(folder, sonames, failures);
      if (found != null) {
        return found;
      }
    }
    throw new CudaException(
        "%s was not found%s; %s"
            .formatted(
                String.join(" or ", sonames),
                failures.isEmpty() ? "" : " (" + String.join("; ", failures) + ")",
                advice));
  }

  private static @Nullable MappedLibrary inFolder(
      Path folder, String[] sonames, List<String> failures) {
    for (String soname : sonames) {
      Path file = folder.resolve(soname);
      if (Files.exists(file)) {
        try {
          return logged(file.toString(), SymbolLookup.libraryLookup(file, Arena.global()));
        } catch (IllegalArgumentException e) {
          failures.add(file + " could not be loaded");
        }
      }
    }
    return null;
  }

  private static MappedLibrary logged(String name, SymbolLookup symbols) {
    String path = name.startsWith("/") ? name : mapped(name);
    LOG.log(System.Logger.Level.DEBUG, () -> "mapped " + path);
    return new MappedLibrary(path, symbols);
  }

  /** Where the loader found it, if the system tells. */
  private static String mapped(String soname) {
    String stem = "/" + soname.substring(0, soname.indexOf(".so") + 3);
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
        if (line.contains(stem)) {
          return line.substring(line.indexOf('/'));
        }
      }
    } catch (IOException _) {
      // not Linux
    }
    return soname;
  }

  /** A file of the folder whose name begins with {@code prefix}, if there is one. */
  static @Nullable Path sibling(String library, String prefix) {
    @Nullable Path folder = Path.of(library).getParent();
    if (folder == null) {
      return null;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, prefix + "*")) {
      for (Path file : files) {
        return file;
      }
    } catch (IOException _) {
      // the library works without, or says itself what it lacks
    }
    return null;
  }

  private static List<Path> given() {
    @Nullable String value = System.getProperty(PROPERTY);
    if (value == null) {
      value = System.getenv(VARIABLE);
    }
    List<Path> folders = new ArrayList<>();
    if (value != null) {
      for (String entry : List.of(SEPARATOR.split(value, -1))) {
        if (!entry.isBlank()) {
          Path folder = Path.of(entry).toAbsolutePath();
          folders.add(folder);
          addPackages(folder, folders);
        }
      }
    }
    return folders;
  }

  /** {@code nvidia/cu13/lib} and the like below a folder of Python packages. */
  private static void addPackages(Path folder, List<Path> folders) {
    Path packages = folder.resolve("nvidia");
    if (Files.isDirectory(packages)) {
      try (DirectoryStream<Path> parts = Files.newDirectoryStream(packages)) {
        for (Path part : parts) {
          if (Files.isDirectory(part.resolve("lib"))) {
            folders.add(part.resolve("lib"));
          }
        }
      } catch (IOException _) {
        // unreadable: as if it were not named
      }
    }
  }

  private static List<Path> usual() {
    List<Path> folders = new ArrayList<>();
    for (String variable : new String[] {"CUDA_HOME", "CUDA_PATH"}) {
      @Nullable String home = System.getenv(variable);
      if (home != null && !home.isBlank()) {
        folders.add(Path.of(home, "lib64"));
        folders.add(Path.of(home, "lib"));
      }
    }
    folders.add(Path.of("/usr/local/cuda/lib64"));
    folders.add(Path.of("/opt/cuda/lib64"));
    return folders;
  }
}
