package org.chunkllama.files;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import org.chunkllama.error.DownloadException;

/** Fetches one file of the hub into the cache, resuming what was begun. */
final class HttpDownload {
  private static final int BUFFER_BYTES = 1 << 16;
  private static final int MAX_TRIES_WITHOUT_A_BYTE = 4;

  /**
   * A file.
   *
   * @param what for messages
   * @param bytes its size
   */
  record Remote(String what, URI address, long bytes, Checksum checksum) {}

  private final HttpTransfer transfer;
  private final DownloadSettings settings;
  private final Progress progress;

  HttpDownload(HttpTransfer transfer, DownloadSettings settings, Progress progress) {
    this.transfer = transfer;
    this.settings = settings;
    this.progress = progress;
  }

  /** Fetches {@code remote}; {@code target} is there, whole and right, on return. */
  void fetch(Remote remote, Path target) throws SourceFailedException {
    try (PartFile part = new PartFile(target, remote.checksum)) {
      Disk.requireSpace(part.folder(), remote.bytes - part.bytes());
      progress.begin(remote.what, remote.bytes, Progress.Unit.BYTES);
      try {
        boolean resumed = part.resumed();
        fill(remote, part);
        if (!part.complete()) {
          retryIf(resumed, remote, part);
        }
      } finally {
        progress.end();
      }
    }
  }

  // What an earlier process left may have been spoilt: one more try with nothing of it.
  private void retryIf(boolean resumed, Remote remote, PartFile part) throws SourceFailedException {
    if (resumed) {
      progress.note(remote.what + ": what an earlier run left does not fit; starting again");
      fill(remote, part);
      if (part.complete()) {
        return;
      }
    }
    throw new SourceFailedException(
        remote.what + " arrived with a wrong checksum; try again, or fetch it by hand");
  }

  /** Gets the missing bytes, going on after broken transfers as long as some arrive. */
  private void fill(Remote remote, PartFile part) throws SourceFailedException {
    if (part.bytes() > remote.bytes) {
      part.restart();
    }
    long begun = part.bytes();
    int tries = 0;
    while (part.bytes() < remote.bytes) {
      long before = part.bytes();
      progress.advance(before);
      try {
        transferOnce(remote, part);
        if (part.bytes() < remote.bytes) {
          throw new IOException("the connection was closed early");
        }
      } catch (IOException e) {
        tries = part.bytes() > before ? 1 : tries + 1;
        // A host that was never reached is left at once: the next source may be near.
        boolean reached = part.bytes() != begun || e instanceof TryAgainException;
        if (!reached || tries >= MAX_TRIES_WITHOUT_A_BYTE) {
          throw new SourceFailedException(
              remote.what + " was not fetched (" + e.getMessage() + ")", e);
        }
        pause(settings.retryPause().toMillis() << (tries - 1));
      }
    }
  }

  private void transferOnce(Remote remote, PartFile part)
      throws IOException, SourceFailedException {
    HttpTransfer.Answer answer = transfer.get(remote.address, part.bytes());
    try (InputStream in = answer.response().body();
        StallGuard guard = new StallGuard(in, settings.stallTimeout())) {
      accept(answer, remote, part);
      byte[] buffer = new byte[BUFFER_BYTES];
      long left = remote.bytes - part.bytes();
      while (left > 0) {
        int count = in.read(buffer, 0, (int) Math.min(buffer.length, left));
        if (count < 0) {
          return;
        }
        guard.progressed();
        part.write(buffer, count);
        left -= count;
        progress.advance(part.bytes());
      }
    }
  }

  /** Refuses an answer that does not carry the wanted bytes. */
  private void accept(HttpTransfer.Answer answer, Remote remote, PartFile part)
      throws IOException, SourceFailedException {
    int status = answer.status();
    if (status == 429 || status >= 500) {
      throw new TryAgainException(HttpTransfer.explain(status, remote.what, settings));
    }
    Optional<Checksum> stated = answer.checksum();
    boolean other =
        stated.isPresent()
            && stated.get().kind() == remote.checksum.kind()
            && !stated.get().equals(remote.checksum);
    if (status / 100 == 2 && other) {
      throw new SourceFailedException(remote.what + " is another file there than expected");
    }
    if (status == 200) {
      part.restart(); // no ranges there, or none asked for
      OptionalLong length = answer.length();
      if (length.isPresent() && length.getAsLong() != remote.bytes) {
        throw new SourceFailedException(
            remote.what + " has " + length.getAsLong() + " bytes there, not " + remote.bytes);
      }
    } else if (status == 416 || (status == 206 && !continues(answer, part.bytes()))) {
      part.restart();
      throw new TryAgainException("the part that is here was refused");
    } else if (status != 206) {
      throw new SourceFailedException(HttpTransfer.explain(status, remote.what, settings));
    }
  }

  private static boolean continues(HttpTransfer.Answer answer, long from) {
    return answer
        .response()
        .headers()
        .firstValue("Content-Range")
        .filter(range -> range.startsWith("bytes " + from + "-"))
        .isPresent();
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DownloadException("the download was interrupted; run again to resume it", e);
    }
  }

  /** The host is there but did not serve this time. */
  private static final class TryAgainException extends IOException {
    private static final long serialVersionUID = 1L;

    TryAgainException(String message) {
      super(message);
    }
  }
}
