package org.chunkllama.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KernelCacheTest {
  @TempDir private Path folder;

  /** An ELF file whose header names a table of one entry of 36 bytes at its end. */
  private static byte[] cubin(int bytes) {
    byte[] cubin = new byte[bytes];
    ByteBuffer header = ByteBuffer.wrap(cubin).order(ByteOrder.LITTLE_ENDIAN);
    header.putInt(0, 0x464c457f).putLong(40, bytes - 36);
    header.putShort(58, (short) 36).putShort(60, (short) 1);
    Arrays.fill(cubin, 64, bytes, (byte) 7);
    return cubin;
  }

  @Test
  void makesOnceAndKeeps() throws IOException {
    byte[] cubin = cubin(100);
    Path inner = folder.resolve("a").resolve("b");
    assertThat(new KernelCache(inner).get("k", () -> cubin)).isEqualTo(cubin);
    byte[] kept =
        new KernelCache(inner)
            .get(
                "k",
                () -> {
                  throw new AssertionError("made again");
                });
    assertThat(kept).isEqualTo(cubin);
    try (Stream<Path> files = Files.list(inner)) {
      assertThat(files.map(file -> file.getFileName().toString())).containsExactly("k.cubin");
    }
  }

  /** As processes that start together do: all make it, none sees half of another's. */
  @Test
  void manyWritersAtOnce() throws Exception {
    byte[] cubin = cubin(1 << 20);
    try (ExecutorService writers = Executors.newFixedThreadPool(8)) {
      List<Callable<byte[]>> calls = new ArrayList<>();
      for (int i = 0; i < 400; i++) {
        String key = "k" + i / 8;
        calls.add(() -> new KernelCache(folder).get(key, cubin::clone));
      }
      for (Future<byte[]> got : writers.invokeAll(calls)) {
        assertThat(Arrays.equals(got.get(), cubin)).isTrue();
      }
    }
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .hasSize(50)
          .allMatch(name -> name.endsWith(".cubin"));
    }
  }

  /** As a crash of the machine or a full disk may leave them. */
  @ParameterizedTest
  @ValueSource(ints = {0, 20, 64, 99, -100})
  void whatIsNotWholeIsMadeAnew(int bytes) throws IOException {
    byte[] cubin = cubin(100);
    byte[] broken = bytes < 0 ? new byte[-bytes] : Arrays.copyOf(cubin, bytes);
    Path file = Files.write(folder.resolve("k.cubin"), broken);
    KernelCache cache = new KernelCache(folder);
    List<String> warnings = new ArrayList<>();
    try (LogCapture _ = new LogCapture(KernelCache.class, warnings)) {
      assertThat(cache.get("k", () -> cubin)).isEqualTo(cubin);
    }
    assertThat(warnings).singleElement().asString().contains("k.cubin is broken");
    assertThat(Files.readAllBytes(file)).isEqualTo(cubin);
  }

  @Test
  void worksWhereNothingCanBeKept() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "no folder");
    assertThat(new KernelCache(file).get("k", () -> new byte[] {7})).containsExactly(7);
  }

  @Test
  void everyPartDecidesTheKey() {
    Set<String> keys = new HashSet<>();
    keys.add(KernelCache.key("13.0", "s", Map.of("h", "t"), List.of("-a", "-b")));
    keys.add(KernelCache.key("12.9", "s", Map.of("h", "t"), List.of("-a", "-b")));
    keys.add(KernelCache.key("13.0", "S", Map.of("h", "t"), List.of("-a", "-b")));
    keys.add(KernelCache.key("13.0", "s", Map.of("H", "t"), List.of("-a", "-b")));
    keys.add(KernelCache.key("13.0", "s", Map.of("h", "T"), List.of("-a", "-b")));
    keys.add(KernelCache.key("13.0", "s", Map.of("h", "t"), List.of("-a-b")));
    keys.add(KernelCache.key("13.0", "s", Map.of("ht", ""), List.of("-a", "-b")));
    assertThat(keys).hasSize(7);
  }
}
