package org.chunkllama.files;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.model.WeightSource;
import org.chunkllama.text.TokenizerSpec;

/**
 * An opened model: configuration, tokenizer, chat templates and memory-mapped weights.
 *
 * <p>Immutable and thread-safe. Every tensor that the configuration asks for is there with the
 * right shape. Weights are readable until {@link #close}.
 */
public interface ModelFile extends WeightSource, AutoCloseable {
  /** Name of the default chat template. */
  String DEFAULT_TEMPLATE = "default";

  /**
   * Opens a GGUF file, a Hugging Face folder, or a folder with one GGUF file in it.
   *
   * @throws org.chunkllama.error.ModelFileException if a file is missing, broken or contradicts
   *     itself
   * @throws org.chunkllama.error.UnsupportedModelException if the model or its number format is not
   *     supported
   */
  static ModelFile open(Path path, Progress progress) {
    return ModelFiles.open(path, progress);
  }

  /** As {@link #open(Path, Progress)}, silently. */
  static ModelFile open(Path path) {
    return open(path, Progress.NONE);
  }

  /**
   * Opens configuration, tokenizer and chat templates alone. Of a Hugging Face folder config.json
   * is enough: without a tokenizer, texts are token ids. No weight is found in it, unless the file
   * is a GGUF, which holds all in one.
   *
   * @throws org.chunkllama.error.ModelFileException as {@link #open(Path, Progress)}
   * @throws org.chunkllama.error.UnsupportedModelException likewise
   */
  static ModelFile openConfig(Path path, Progress progress) {
    return Files.isDirectory(path) && HfModel.isOne(path)
        ? HfModel.openConfig(path, progress)
        : open(path, progress);
  }

  /** What the model computes. */
  ModelConfig config();

  /** What the file says about its tokenizer. */
  TokenizerSpec tokenizer();

  /** Chat templates (Jinja) by name: {@code default}, {@code tool_use}, ...; may be empty. */
  Map<String, String> chatTemplates();

  /** The default chat template, if the file has one. */
  default Optional<String> chatTemplate() {
    return Optional.ofNullable(chatTemplates().get(DEFAULT_TEMPLATE));
  }

  /** The model's name for people. */
  String name();

  /** All tensors in file order; of a configuration alone, those that it asks for. */
  List<TensorInfo> tensors();

  /**
   * All that the file states beside tensors: GGUF's metadata, or the members of config.json. Values
   * are String, Boolean, Long, Double, null-free List and Map; GGUF arrays of numbers are {@code
   * long[]} and {@code double[]}.
   */
  Map<String, Object> metadata();

  /** Unmaps the weights: every tensor handed out becomes unreadable. */
  @Override
  void close();
}
