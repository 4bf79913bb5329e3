package org.chunkllama.files;

import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.chunkllama.error.ModelFileException;
import org.chunkllama.error.UnsupportedModelException;

/** All tensors of a Hugging Face folder: one file, or shards named by an index. */
final class SafetensorsFolder {
  static final String SINGLE = "model.safetensors";
  static final String INDEX = "model.safetensors.index.json";

  private SafetensorsFolder() {}

  /** Tensors by stored name; mapped until {@code arena} closes. */
  static Map<String, StoredTensor> read(Path folder, Arena arena) {
    if (Files.exists(folder.resolve(SINGLE))) {
      Map<String, StoredTensor> tensors = new LinkedHashMap<>();
      readFile(folder.resolve(SINGLE), arena).forEach(t -> tensors.put(t.name(), t));
      return tensors;
    }
    if (Files.exists(folder.resolve(INDEX))) {
      return readShards(folder, arena);
    }
    if (Files.exists(folder.resolve("pytorch_model.bin"))
        || Files.exists(folder.resolve("pytorch_model.bin.index.json"))) {
      throw new UnsupportedModelException(
          folder
              + " holds pickled PyTorch weights, which are not read;"
              + " use a version with safetensors, or a GGUF file");
    }
    throw new ModelFileException(
        folder + " holds neither " + SINGLE + " nor " + INDEX + "; fetch the whole model folder");
  }

  /**
   * Where each tensor is, by an index.
   *
   * @throws ModelFileException if a shard's name is no plain file name
   */
  static Map<String, String> weightMap(Fields index) {
    Fields map =
        index
            .object("weight_map")
            .orElseThrow(() -> Untrusted.damaged(index.file(), "weight_map is missing"));
    Map<String, String> shards = new LinkedHashMap<>();
    for (String tensor : map.keys()) {
      String shard = map.string(tensor);
      // The index comes from afar: it must not point out of its folder.
      if (!shard.matches("[A-Za-z0-9_][A-Za-z0-9._-]*\\.safetensors")) {
        throw Untrusted.damaged(
            index.file(), Untrusted.quote(shard) + " is not the name of a safetensors file");
      }
      shards.put(tensor, shard);
    }
    return shards;
  }

  private static Map<String, StoredTensor> readShards(Path folder, Arena arena) {
    Map<String, String> index = weightMap(Json.read(folder.resolve(INDEX)));
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    Set<String> shards = new LinkedHashSet<>(index.values());
    for (String shard : shards) {
      for (StoredTensor tensor : readFile(folder.resolve(shard), arena)) {
        if (shard.equals(index.get(tensor.name()))) {
          tensors.put(tensor.name(), tensor);
        }
      }
    }
    index.forEach((name, shard) -> {
      if (!tensors.containsKey(name)) {
        throw Untrusted.damaged(
            folder.resolve(shard).toString(),
            "tensor " + Untrusted.quote(name) + " is missing, though " + INDEX + " names it");
      }
    });
    return tensors;
  }

  private static List<StoredTensor> readFile(Path file, Arena arena) {
    return Safetensors.read(MappedFile.map(file, arena), file.toString());
  }
}
