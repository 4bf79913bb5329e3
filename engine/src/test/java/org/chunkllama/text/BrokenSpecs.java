package org.chunkllama.text;

import java.util.List;

/** A sound vocabulary with one part changed. */
final class BrokenSpecs {
  private BrokenSpecs() {}

  static TokenizerSpec withModel(TokenizerSpec.Gguf spec, String model) {
    return copy(spec, model, spec.tokens(), spec.scores(), spec.merges(), spec.bosId());
  }

  static TokenizerSpec withTokens(TokenizerSpec.Gguf spec, List<String> tokens) {
    return copy(spec, spec.model(), tokens, spec.scores(), spec.merges(), spec.bosId());
  }

  static TokenizerSpec withScores(TokenizerSpec.Gguf spec, float[] scores) {
    return copy(spec, spec.model(), spec.tokens(), scores, spec.merges(), spec.bosId());
  }

  static TokenizerSpec withMerges(TokenizerSpec.Gguf spec, List<String> merges) {
    return copy(spec, spec.model(), spec.tokens(), spec.scores(), merges, spec.bosId());
  }

  static TokenizerSpec withBos(TokenizerSpec.Gguf spec, int bosId) {
    return copy(spec, spec.model(), spec.tokens(), spec.scores(), spec.merges(), bosId);
  }

  private static TokenizerSpec copy(
      TokenizerSpec.Gguf spec,
      String model,
      List<String> tokens,
      float[] scores,
      List<String> merges,
      int bosId) {
    return new TokenizerSpec.Gguf(
        model,
        spec.pre(),
        tokens,
        scores,
        spec.types(),
        merges,
        bosId,
        spec.eosIds(),
        spec.unknownId(),
        spec.addBos(),
        spec.addEos(),
        spec.addSpacePrefix());
  }
}
