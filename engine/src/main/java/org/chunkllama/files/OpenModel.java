package org.chunkllama.files;

import java.lang.foreign.Arena;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.spi.WeightTensor;
import org.chunkllama.text.TokenizerSpec;

/** A model file of either format, once read. */
final class OpenModel implements ModelFile {
  /** All but the weights. */
  record Description(
      String name,
      ModelConfig config,
      TokenizerSpec tokenizer,
      Map<String, String> chatTemplates,
      Map<String, Object> metadata) {}

  private final Arena arena;
  private final Description description;
  private final Map<String, WeightTensor> weights;
  private final List<TensorInfo> tensors;

  OpenModel(
      Arena arena,
      Description description,
      Map<String, WeightTensor> weights,
      List<TensorInfo> tensors) {
    this.arena = arena;
    this.description = description;
    this.weights = weights;
    this.tensors = List.copyOf(tensors);
  }

  /**
   * Calls {@code open} with an arena that the model is to own; closed at once if {@code open}
   * fails.
   */
  @SuppressWarnings("MustBeClosedChecker") // the model closes it
  static ModelFile inArena(Function<Arena, ModelFile> open) {
    Arena arena = Arena.ofShared();
    boolean opened = false;
    try {
      ModelFile model = open.apply(arena);
      opened = true;
      return model;
    } finally {
      if (!opened) {
        arena.close();
      }
    }
  }

  @Override
  public Optional<WeightTensor> find(String name) {
    return Optional.ofNullable(weights.get(name));
  }

  @Override
  public ModelConfig config() {
    return description.config;
  }

  @Override
  public TokenizerSpec tokenizer() {
    return description.tokenizer;
  }

  @Override
  public Map<String, String> chatTemplates() {
    return Collections.unmodifiableMap(description.chatTemplates);
  }

  @Override
  public String name() {
    return description.name;
  }

  @Override
  public List<TensorInfo> tensors() {
    return tensors;
  }

  @Override
  public Map<String, Object> metadata() {
    return Collections.unmodifiableMap(description.metadata);
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
