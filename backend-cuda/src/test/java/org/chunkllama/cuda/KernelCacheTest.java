package org.chunkllama.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
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

class KernelCacheTest {
  @TempDir private Path folder;

  @Test
  void makesOnceAndKeeps() throws IOException {
    byte[] cubin = {1, 2, 3};
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
    byte[] cubin = new byte[1 << 20];
    Arrays.fill(cubin, (byte) 7);
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
