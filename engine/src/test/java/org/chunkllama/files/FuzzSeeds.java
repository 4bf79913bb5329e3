package org.chunkllama.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.model.RopeScaling;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.RotaryTable;

/** Writes the seeds of {@link ReadersFuzzTest}; argument: the test resources folder. */
final class FuzzSeeds {
  private FuzzSeeds() {}

  public static void main(String[] arguments) throws IOException {
    Path root = Path.of(arguments[0], "org/chunkllama/files/ReadersFuzzTestInputs");
    ModelConfig config =
        new ModelConfig(
            "llama",
            1,
            2,
            1,
            1,
            2,
            2,
            267,
            8,
            1e-5f,
            10_000,
            2,
            new RopeScaling.None(),
            RotaryTable.Layout.SPLIT_HALVES,
            false,
            false,
            false,
            true);
    RandomModel model = new RandomModel(config, 1);
    for (int version = 1; version <= 3; version++) {
      GgufWriter writer = model.gguf(DType.F32);
      writer.version = version;
      write(root, "gguf/version" + version, writer.bytes());
    }
    byte[] whole = model.gguf(DType.F32).bytes();
    write(root, "gguf/cut", Arrays.copyOf(whole, 300));
    byte[] tensors =
        new SafetensorsWriter()
            .tensor("a", "F32", List.of(2, 1), new byte[8])
            .tensor("b", "BF16", List.of(2), new byte[4])
            .bytes();
    write(root, "safetensors/whole", tensors);
    write(root, "safetensors/cut", Arrays.copyOf(tensors, 60));
    Path folder = Files.createTempDirectory("seeds");
    model.writeHuggingFace(folder);
    write(root, "config/llama", Files.readAllBytes(folder.resolve("config.json")));
    Disk.deleteTree(folder);
  }

  private static void write(Path root, String name, byte[] bytes) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    Files.write(file, bytes);
  }
}
