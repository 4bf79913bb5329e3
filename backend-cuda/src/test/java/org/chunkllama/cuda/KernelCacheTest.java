package org.chunkllama.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
