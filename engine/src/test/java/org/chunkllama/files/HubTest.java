package org.chunkllama.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.chunkllama.error.ChunkLlamaException;
import org.chunkllama.error.DownloadException;
import org.chunkllama.error.ModelFileException;
import org.chunkllama.spi.DType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code hf:} models, fetched from a hub on localhost. */
class HubTest {
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

  private ModelLocator locator() {
    return locator(hub.address(), Optional.empty());
  }

  private ModelLocator locator(URI address, Optional<String> token) {
    DownloadSettings settings =
        new DownloadSettings(
            folder.resolve("cache"),
            address,
            token,
            Duration.ofSeconds(2),
            Duration.ofMillis(500),
            Duration.ofMillis(5),
            List.of(),
            Optional.empty());
    return new ModelLocator(settings, new Catalogue(List.of()));
  }

  private Path locate(String model) {
    return locator().locate(model, new RealModelsTest.NoteTaker(notes));
  }

  private void serveFolder(int shards) throws IOException {
    Path source = folder.resolve("source");
    new RandomModel(RandomModel.llama(), 1).writeHuggingFace(source, DType.BF16, shards);
    try (Stream<Path> files = Files.list(source)) {
      for (Path file : files.sorted().toList()) {
        hub.file(file.getFileName().toString(), Files.readAllBytes(file));
      }
    }
    hub.file("README.md", "not needed").file("onnx/model.onnx", "not needed");
  }

  @Test
  void fetchesAFolderOnceAndOpensIt() throws IOException {
    serveFolder(1);
    Path path = locate("hf:org/model");
    try (ModelFile model = ModelFile.open(path)) {
      assertThat(model.config()).isEqualTo(RandomModel.llama());
    }
    try (Stream<Path> files = Files.list(path)) {
      assertThat(files.map(f -> f.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "config.json",
              "generation_config.json",
              "tokenizer.json",
              "tokenizer_config.json",
              "model.safetensors");
    }
    hub.close(); // offline from here on
    assertThat(locate("hf:org/model")).isEqualTo(path);
  }

  @Test
  void fetchesShards() throws IOException {
    serveFolder(3);
    Path path = locate("hf:org/model@main");
    try (ModelFile model = ModelFile.open(path)) {
      assertThat(model.config()).isEqualTo(RandomModel.llama());
    }
  }

  @Test
  void fetchesAConfigurationWithoutTheWeights() throws IOException {
    serveFolder(3);
    Path path = locator().locateConfig("hf:org/model", new RealModelsTest.NoteTaker(notes));
    assertThat(hub.requests).noneMatch(request -> request.contains(".safetensors from"));
    try (ModelFile model = ModelFile.openConfig(path, Progress.NONE)) {
      assertThat(model.config()).isEqualTo(RandomModel.llama());
      assertThat(model.find("token_embd.weight")).isEmpty();
    }
    assertThat(locate("hf:org/model")).isEqualTo(path); // and now all of it
    try (ModelFile model = ModelFile.open(path)) {
      assertThat(model.find("token_embd.weight")).isPresent();
    }
    assertThat(locator().locateConfig("hf:org/model", Progress.NONE)).isEqualTo(path);
  }

  @Test
  void fetchesTheOnlyGguf() throws IOException {
    hub.file("model.gguf", new RandomModel(RandomModel.qwen3(), 1).gguf(DType.F32).bytes());
    try (ModelFile model = ModelFile.open(locate("hf:org/model"))) {
      assertThat(model.config()).isEqualTo(RandomModel.qwen3());
    }
  }

  @Test
  void asksForANameAmongSeveralGgufs() {
    hub.file("a.Q4_0.gguf", new byte[10]).file("a.Q8_0.gguf", new byte[20]);
    assertThatThrownBy(() -> locate("hf:org/model"))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("2 GGUF files")
        .hasMessageContaining("hf:org/model/a.Q8_0.gguf");
    assertThat(locate("hf:org/model/a.Q8_0.gguf")).hasBinaryContent(new byte[20]);
    assertThat(locate("hf:org/model/a.Q4_0.gguf")).hasBinaryContent(new byte[10]);
  }

  @Test
  void resumesABrokenTransfer() {
    byte[] bytes = random(50_000);
    hub.file("model.gguf", bytes);
    hub.breaks.set(3);
    assertThat(locate("hf:org/model")).hasBinaryContent(bytes);
    assertThat(hub.requests).contains("/cdn/model.gguf from 0");
    assertThat(hub.requests.stream().filter(r -> r.startsWith("/cdn/") && !r.endsWith(" 0")))
        .hasSize(3);
  }

  @Test
  void resumesWhatAnEarlierRunLeft() throws IOException {
    byte[] bytes = random(50_000);
    hub.file("model.gguf", bytes);
    Path part = leavePart(bytes, 20_000);
    assertThat(locate("hf:org/model")).hasBinaryContent(bytes);
    assertThat(hub.requests).contains("/cdn/model.gguf from 20000");
    assertThat(part).doesNotExist();
  }

  @Test
  void startsAgainIfWhatAnEarlierRunLeftIsSpoilt() throws IOException {
    byte[] bytes = random(50_000);
    hub.file("model.gguf", bytes);
    byte[] other = bytes.clone();
    other[7]++;
    Path part = leavePart(bytes, 20_000);
    Files.write(part, Arrays.copyOf(other, 20_000));
    assertThat(locate("hf:org/model")).hasBinaryContent(bytes);
    assertThat(notes).singleElement().asString().contains("starting again");
  }

  private Path leavePart(byte[] bytes, int count) throws IOException {
    Path target = folder.resolve("cache/hub/org--model/" + FakeHub.COMMIT + "/model.gguf");
    Files.createDirectories(target.getParent());
    String mark = FakeHub.sha256(bytes).substring(0, 16);
    return Files.write(
        target.resolveSibling("model.gguf." + mark + ".part"), Arrays.copyOf(bytes, count));
  }

  @Test
  void worksWithoutRanges() throws IOException {
    byte[] bytes = random(50_000);
    hub.file("model.gguf", bytes);
    hub.ranges = false;
    leavePart(bytes, 20_000);
    assertThat(locate("hf:org/model")).hasBinaryContent(bytes);
  }

  @Test
  void goesOnAfterAStall() {
    byte[] bytes = random(50_000);
    hub.file("model.gguf", bytes);
    hub.breaks.set(1);
    hub.stall = true;
    assertThat(locate("hf:org/model")).hasBinaryContent(bytes);
  }

  @Test
  void triesAgainWhenTheHostIsBusy() {
    byte[] bytes = random(2_000);
    hub.file("model.gguf", bytes);
    hub.busy.set(2);
    assertThat(locate("hf:org/model")).hasBinaryContent(bytes);
    assertThat(hub.busy).hasValue(0);
  }

  @Test
  void givesUpWhenTheHostStaysBusy() {
    hub.file("model.gguf", random(2_000));
    hub.busy.set(100);
    assertFails("HTTP 503");
    assertThat(hub.busy.get()).isGreaterThan(90);
  }

  @Test
  void refusesAWrongChecksum() throws IOException {
    hub.file("model.gguf", random(50_000));
    hub.spoil = true;
    assertFails("wrong checksum");
    try (Stream<Path> files = Files.walk(folder.resolve("cache"))) {
      assertThat(files.map(Path::toString)).noneMatch(f -> f.endsWith(".gguf"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"config.json", "chat_template.jinja"})
  void refusesAWrongChecksumOfASmallFile(String name) throws IOException {
    serveFolder(1);
    hub.file(name, "{}");
    hub.spoil = true;
    assertFails("wrong checksum");
  }

  @Test
  void refusesABrokenTransferThatNeverGoesOn() {
    hub.file("model.gguf", random(50_000));
    hub.breaks.set(1000);
    hub.breakAfterBytes = 0;
    assertFails("was not fetched");
  }

  @Test
  void saysThatAModelDoesNotExist() {
    assertThatThrownBy(() -> locate("hf:org/other"))
        .isInstanceOf(DownloadException.class)
        .hasMessageContaining("hf:org/other does not exist")
        .hasMessageContaining("404");
  }

  @Test
  void saysHowToReachAGatedModel() {
    hub.refuseWith = 401;
    assertFails("HF_TOKEN");
    assertFails("accept its licence");
  }

  @Test
  void sendsTheTokenToTheHub() {
    hub.file("model.gguf", random(2_000));
    locator(hub.address(), Optional.of("secret")).locate("hf:org/model", Progress.NONE);
    assertThat(hub.authorizations).contains("/api/models/org/model/revision/main: Bearer secret");
  }

  @Test
  void keepsTheTokenFromOtherHosts() throws IOException {
    byte[] bytes = random(2_000);
    try (FakeHub cdn = new FakeHub();
        RedirectingHub front = new RedirectingHub(cdn.address())) {
      cdn.file("model.gguf", bytes);
      Path path =
          locator(front.address(), Optional.of("secret")).locate("hf:org/model", Progress.NONE);
      assertThat(path).hasBinaryContent(bytes);
      assertThat(front.authorizations).isNotEmpty().allMatch(a -> a.equals("Bearer secret"));
      assertThat(cdn.authorizations).isNotEmpty().allMatch(a -> a.endsWith(": null"));
    }
  }

  @Test
  void saysThatTheHubWasNotReached() {
    URI nowhere = hub.address();
    hub.close();
    long before = System.nanoTime();
    assertThatThrownBy(
            () -> locator(nowhere, Optional.empty()).locate("hf:org/model", Progress.NONE))
        .isInstanceOf(DownloadException.class)
        .hasMessageContaining("was not reached");
    assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(3));
  }

  @Test
  void saysThatTheTokenizerIsMissing() throws IOException {
    serveFolder(1);
    hub.files.remove("tokenizer.json");
    assertThatThrownBy(() -> locate("hf:org/model"))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("no tokenizer.json");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hf:model",
        "hf:",
        "hf:a/b/c",
        "hf:../x",
        "hf:a/../b.gguf",
        "hf:a/b@../../c",
        "hf:a/b@",
        "hf:a b/c"
      })
  void refusesOtherSpellings(String model) {
    assertThatThrownBy(() -> locate(model))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("hf:org/name");
    assertThat(hub.requests).isEmpty();
  }

  @Test
  void ignoresFilesThatLeaveTheirFolder() {
    hub.file("../../evil.gguf", random(2_000)).file("model.gguf", random(3_000));
    assertThat(locate("hf:org/model").getFileName()).hasToString("model.gguf");
  }

  @Test
  void twoAtOnceFetchOnce() throws Exception {
    byte[] bytes = random(500_000);
    hub.file("model.gguf", bytes);
    List<Path> found = Collections.synchronizedList(new ArrayList<>());
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      threads.add(
          Thread.ofVirtual()
              .start(() -> found.add(locator().locate("hf:org/model", Progress.NONE))));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(found).hasSize(4);
    assertThat(found.getFirst()).hasBinaryContent(bytes);
    assertThat(hub.requests.stream().filter(r -> r.startsWith("/cdn/"))).hasSize(1);
  }

  @Test
  void saysThatTheCacheCannotBeWritten() throws IOException {
    hub.file("model.gguf", random(2_000));
    Files.writeString(folder.resolve("cache"), "a file where a folder should be");
    assertFails("CHUNKLLAMA_HOME");
  }

  private void assertFails(String message) {
    assertThatThrownBy(() -> locate("hf:org/model"))
        .isInstanceOf(DownloadException.class)
        .isInstanceOf(ChunkLlamaException.class)
        .hasMessageContaining(message)
        .hasMessageNotContaining("\n");
  }

  private static byte[] random(int count) {
    byte[] bytes = new byte[count];
    new Random(count).nextBytes(bytes);
    return bytes;
  }
}
