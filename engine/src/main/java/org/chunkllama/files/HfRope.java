package org.chunkllama.files;

import java.util.Map;
import org.chunkllama.error.UnsupportedModelException;
import org.chunkllama.model.RopeScaling;

/**
 * Rotary embedding from config.json: {@code rope_parameters} (transformers 5), or {@code
 * rope_scaling} and {@code rope_theta} (before).
 *
 * @param theta base of the frequencies
 * @param rotatedShare share of a head that is rotated, in (0, 1]
 */
record HfRope(double theta, double rotatedShare, RopeScaling scaling) {
  /**
   * @param context max_position_embeddings
   */
  static HfRope read(Fields json, int context) {
    Fields rope =
        json.object("rope_parameters")
            .or(() -> json.object("rope_scaling"))
            .orElse(new Fields(json.file(), Map.of()));
    double theta = rope.above("rope_theta", 1, json.above("rope_theta", 1, 10_000));
    double share =
        rope.above("partial_rotary_factor", 0, json.above("partial_rotary_factor", 0, 1));
    if (share > 1) {
      throw Untrusted.damaged(json.file(), "partial_rotary_factor is " + share);
    }
    return new HfRope(theta, share, scaling(json, rope, context));
  }

  private static RopeScaling scaling(Fields json, Fields rope, int context) {
    String type =
        rope.optionalString("rope_type").or(() -> rope.optionalString("type")).orElse("default");
    int original =
        rope.integer(
            "original_max_position_embeddings",
            1,
            ModelLayout.MAX_CONTEXT,
            json.integer("original_max_position_embeddings", 1, ModelLayout.MAX_CONTEXT, context));
    return switch (type) {
      case "default" -> new RopeScaling.None();
      case "linear" -> new RopeScaling.Linear(rope.above("factor", 0));
      case "llama3" -> llama3(rope, original);
      case "yarn" -> yarn(rope, original, context);
      default ->
          throw new UnsupportedModelException(
              json.file()
                  + ": rotary scaling "
                  + Untrusted.quote(type)
                  + " is not supported; default, linear, llama3 and yarn are");
    };
  }

  private static RopeScaling llama3(Fields rope, int original) {
    double low = rope.above("low_freq_factor", 0);
    double high = rope.above("high_freq_factor", 0);
    if (high <= low) {
      throw Untrusted.damaged(
          rope.file(), "high_freq_factor " + high + " is not above low_freq_factor " + low);
    }
    return new RopeScaling.Llama3(rope.above("factor", 0), low, high, original);
  }

  private static RopeScaling yarn(Fields rope, int original, int context) {
    if (!rope.flag("truncate", true)) {
      throw new UnsupportedModelException(
          rope.file() + ": yarn scaling with truncate = false is not supported; use another model");
    }
    double factor = rope.above("factor", 0, (double) context / original);
    double inferred = Yarn.attentionFactor(factor);
    if (rope.has("mscale") && rope.has("mscale_all_dim")) {
      inferred =
          Yarn.mscale(factor, rope.above("mscale", 0))
              / Yarn.mscale(factor, rope.above("mscale_all_dim", 0));
    }
    return new RopeScaling.Yarn(
        factor,
        original,
        rope.above("beta_fast", 0, 32),
        rope.above("beta_slow", 0, 1),
        rope.above("attention_factor", 0, inferred));
  }
}
