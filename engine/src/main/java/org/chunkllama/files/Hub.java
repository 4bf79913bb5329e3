package org.chunkllama.files;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import org.chunkllama.error.DownloadException;

/**
 * Models of the Hugging Face hub, in the cache: {@code hub/ORG--NAME/COMMIT/} holds files, {@code
 * hub/ORG--NAME/refs/REVISION} names the commit that a revision was when it was fetched. A model
 * that is whole is used without asking the hub again.
 */
final class Hub {
  private static final int MAX_LISTING_BYTES = 16 << 20;

  private final DownloadSettings settings;

  Hub(DownloadSettings settings) {
    this.settings = settings;
  }

  /** The GGUF file or folder of {@code model}, fetched if it is not in the cache. */
  Path resolve(HubModel model, Progress progress) {
    return resolve(model, true, progress);
  }

  /** The same for its configuration and tokenizer: of a folder the weights are left out. */
  Path resolveConfig(HubModel model, Progress progress) {
    return resolve(model, false, progress);
  }

  private Path resolve(HubModel model, boolean weights, Progress progress) {
    Optional<Path> cached = cached(model);
    if (cached.isPresent()) {
      return cached.get();
    }
    Path folder = repository(model);
    try (FolderLock _ = FolderLock.acquire(folder, progress);
        HttpTransfer transfer = new HttpTransfer(settings)) {
      cached = cached(model); // another process may have fetched it meanwhile
      return cached.isPresent() ? cached.get() : fetch(model, weights, transfer, progress);
    } catch (SourceFailedException e) {
      throw new DownloadException(model + ": " + e.getMessage(), e);
    }
  }

  private Path repository(HubModel model) {
    return settings.cache().resolve("hub").resolve(model.folder());
  }

  private Path reference(HubModel model) {
    String whole = model.file().isEmpty() ? "" : "+" + model.file().replace("/", "--");
    return repository(model).resolve("refs").resolve(model.revisionName() + whole);
  }

  /** What a finished fetch left: the reference names the commit and, for GGUF, the file in it. */
  private Optional<Path> cached(HubModel model) {
    try {
      Path reference = reference(model);
      if (!Files.isRegularFile(reference)) {
        return Optional.empty();
      }
      String place = Files.readString(reference).strip();
      Path path = repository(model).resolve(place).normalize();
      boolean inside = path.startsWith(repository(model).normalize());
      return inside && Files.exists(path) ? Optional.of(path) : Optional.empty();
    } catch (IOException e) {
      throw Disk.failure(repository(model), e);
    }
  }

  private Path fetch(HubModel model, boolean weights, HttpTransfer transfer, Progress progress)
      throws SourceFailedException {
    HubListing listing = list(model, transfer);
    List<HubListing.HubFile> needed = listing.needed(model);
    Path folder = repository(model).resolve(listing.commit());
    for (HubListing.HubFile file : needed) {
      Path target = folder.resolve(file.path());
      boolean wanted = weights || !file.path().endsWith(".safetensors");
      if (wanted && !isWhole(target, file)) {
        URI address =
            address("/" + model.repository() + "/resolve/" + listing.commit() + "/" + file.path());
        HttpDownload.Remote remote =
            new HttpDownload.Remote(
                file.path() + " of " + model, address, file.bytes(), file.checksum());
        new HttpDownload(transfer, settings, progress).fetch(remote, target);
      }
    }
    boolean gguf = needed.size() == 1;
    String place = listing.commit() + (gguf ? "/" + needed.getFirst().path() : "");
    if (weights || gguf) { // only what is whole is used without asking again
      writeReference(model, place);
    }
    return repository(model).resolve(place);
  }

  // A file has its name only once its checksum was right.
  private static boolean isWhole(Path target, HubListing.HubFile file) {
    try {
      return Files.isRegularFile(target) && Files.size(target) == file.bytes();
    } catch (IOException _) {
      return false;
    }
  }

  private HubListing list(HubModel model, HttpTransfer transfer) throws SourceFailedException {
    URI address =
        address(
            "/api/models/"
                + model.repository()
                + "/revision/"
                + model.revision().replace("/", "%2F")
                + "?blobs=true");
    try {
      HttpTransfer.Answer answer = transfer.get(address, 0);
      byte[] body = HttpTransfer.body(answer, MAX_LISTING_BYTES);
      if (answer.status() != 200) {
        throw new SourceFailedException(
            HttpTransfer.explain(answer.status(), model.toString(), settings));
      }
      return HubListing.parse(Json.parse(body, "the hub's answer about " + model));
    } catch (IOException e) {
      throw new SourceFailedException(
          settings.hub().getHost()
              + " was not reached ("
              + e.getMessage()
              + "); check the network, or give the path of a model on disk",
          e);
    }
  }

  private URI address(String path) {
    return URI.create(settings.hub().toString().replaceFirst("/+$", "") + path);
  }

  private void writeReference(HubModel model, String place) {
    Path reference = reference(model);
    try {
      Files.createDirectories(reference.getParent());
      Path draft = reference.resolveSibling(reference.getFileName() + ".part");
      Files.writeString(draft, place + "\n", StandardCharsets.UTF_8);
      Files.move(draft, reference, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw Disk.failure(repository(model), e);
    }
  }

  /** Fetches one file whose size and hash are known beforehand. */
  void fetchFile(
      Catalogue.Source.HubFile source, Catalogue.Entry entry, Path target, Progress progress)
      throws SourceFailedException {
    URI address =
        address("/" + source.repository() + "/resolve/" + source.revision() + "/" + source.file());
    String what = source.file() + " from " + settings.hub().getHost();
    HttpDownload.Remote remote =
        new HttpDownload.Remote(what, address, entry.bytes(), Checksum.sha256(entry.sha256()));
    try (HttpTransfer transfer = new HttpTransfer(settings)) {
      new HttpDownload(transfer, settings, progress).fetch(remote, target);
    }
  }
}
