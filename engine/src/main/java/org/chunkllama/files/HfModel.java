package org.chunkllama.files;

import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.spi.WeightTensor;

/** Opens a Hugging Face folder. */
final class HfModel {
  static final String CONFIG = "config.json";

  private HfModel() {}

  /** True if {@code folder} can only be meant as such. */
  static boolean isOne(Path folder) {
    return Files.exists(folder.resolve(CONFIG));
  }

  /** Opens {@code folder}; unmapped again if anything is wrong with it. */
  static ModelFile open(Path folder, Progress progress) {
    Fields config = Json.read(folder.resolve(CONFIG));
    return OpenModel.inArena(arena -> model(folder, config, arena, progress));
  }

  private static ModelFile model(Path folder, Fields json, Arena arena, Progress progress) {
    Map<String, StoredTensor> stored = new LinkedHashMap<>();
    SafetensorsFolder.read(folder, arena)
        .forEach((name, tensor) -> stored.put(HfNames.canonical(name), tensor));
    ModelTensors tensors = new ModelTensors(stored, folder.toString(), arena);
    ModelConfig config = HfConfig.read(json, tensors.has("output.weight"), progress);
    HfTokenizer tokenizer = new HfTokenizer(folder, json, config.vocabulary());
    OpenModel.Description description =
        new OpenModel.Description(
            folder.toAbsolutePath().normalize().getFileName().toString(),
            config,
            tokenizer.spec(),
            tokenizer.chatTemplates(),
            json.all());
    Map<String, WeightTensor> weights = tensors.check(config, progress);
    return new OpenModel(arena, description, weights, tensors.infos());
  }
}
