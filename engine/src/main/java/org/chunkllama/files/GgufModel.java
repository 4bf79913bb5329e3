package org.chunkllama.files;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.spi.WeightTensor;

/** Opens a GGUF file. */
final class GgufModel {
  private GgufModel() {}

  /** Opens {@code path}; unmapped again if anything is wrong with it. */
  static ModelFile open(Path path, Progress progress) {
    return OpenModel.inArena(arena -> {
      String file = path.toString();
      GgufReader.Contents contents = GgufReader.read(MappedFile.map(path, arena), file);
      return model(contents, file, path, arena, progress);
    });
  }

  /**
   * A model of what {@code contents} holds.
   *
   * @param file for messages
   * @param path names the model if the metadata does not
   * @param arena closed with the model
   */
  static ModelFile model(
      GgufReader.Contents contents, String file, Path path, Arena arena, Progress progress) {
    Map<String, StoredTensor> stored = new LinkedHashMap<>();
    contents.tensors().forEach(tensor -> stored.put(tensor.name(), tensor));
    ModelTensors tensors = new ModelTensors(stored, file, arena);
    Fields metadata = contents.metadata();
    ModelConfig config = GgufConfig.read(metadata, tensors, progress);
    OpenModel.Description description =
        new OpenModel.Description(
            metadata.optionalString("general.name").orElse(path.getFileName().toString()),
            config,
            GgufTokenizer.read(metadata, config.vocabulary()),
            GgufTokenizer.chatTemplates(metadata),
            metadata.all());
    Map<String, WeightTensor> weights = tensors.check(config, progress);
    return new OpenModel(arena, description, weights, tensors.infos());
  }
}
