package org.chunkllama.bench;

import java.util.List;
import java.util.stream.Collectors;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.model.RopeScaling;
import org.chunkllama.spi.RotaryTable;

/**
 * A model whose speed is measured without its weights.
 *
 * @param id such as {@code llama-2-7b}
 * @param config what it computes
 */
public record ModelShape(String id, ModelConfig config) {
  private static final List<ModelShape> ALL =
      List.of(
          llama("llama-2-7b", 32, 4096, 32, 32, 11008, 32000, 4096, 1e4),
          llama("llama-3.1-8b", 32, 4096, 32, 8, 14336, 128256, 131072, 5e5),
          llama("llama-3.2-1b", 16, 2048, 32, 8, 8192, 128256, 131072, 5e5),
          llama("smollm2-135m", 30, 576, 9, 3, 1536, 49152, 8192, 1e5));

  private static ModelShape llama(
      String id,
      int layers,
      int hidden,
      int heads,
      int kvHeads,
      int feedForward,
      int vocabulary,
      int context,
      double theta) {
    int headDim = hidden / heads;
    return new ModelShape(
        id,
        new ModelConfig(
            "llama",
            layers,
            hidden,
            heads,
            kvHeads,
            headDim,
            feedForward,
            vocabulary,
            context,
            1e-5f,
            theta,
            headDim,
            new RopeScaling.None(),
            RotaryTable.Layout.SPLIT_HALVES,
            false,
            false,
            false,
            false));
  }

  /**
   * The shape called {@code id}.
   *
   * @throws InvalidRequestException if there is none, listing what there is
   */
  public static ModelShape of(String id) {
    return ALL.stream()
        .filter(shape -> shape.id.equals(id))
        .findFirst()
        .orElseThrow(() ->
            new InvalidRequestException(
                "unknown shape '%s': choose one of %s"
                    .formatted(
                        id, ALL.stream().map(ModelShape::id).collect(Collectors.joining(", ")))));
  }
}
