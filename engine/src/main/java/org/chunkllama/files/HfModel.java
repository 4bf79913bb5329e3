package org.chunkllama.files;

import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.spi.WeightTensor;
import org.chunkllama.text.TokenizerSpec;

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

  /** Opens {@code folder} without its weights, which need not be there. */
  static ModelFile openConfig(Path folder, Progress progress) {
    Fields json = Json.read(folder.resolve(CONFIG));
    ModelConfig config = HfConfig.read(json, true, progress);
    HfTokenizer tokenizer = new HfTokenizer(folder, json, config.vocabulary());
    TokenizerSpec spec;
    if (tokenizer.exists()) {
      spec = tokenizer.spec();
    } else {
      spec = new TokenizerSpec.IdsOnly(config.vocabulary());
      progress.note(
          folder + " has no tokenizer: prompts must be token ids, answers are shown as such");
    }
    OpenModel.Description description =
        new OpenModel.Description(
            name(folder), config, spec, tokenizer.chatTemplates(), json.all());
    return OpenModel.inArena(
        arena -> new OpenModel(arena, description, Map.of(), ModelLayout.infos(config)));
  }

  private static String name(Path folder) {
    return folder.toAbsolutePath().normalize().getFileName().toString();
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
            name(folder), config, tokenizer.spec(), tokenizer.chatTemplates(), json.all());
    Map<String, WeightTensor> weights = tensors.check(config, progress);
    return new OpenModel(arena, description, weights, tensors.infos());
  }
}
