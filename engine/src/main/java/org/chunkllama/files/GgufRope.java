package org.chunkllama.files;

import java.util.Optional;
import org.chunkllama.error.UnsupportedModelException;
import org.chunkllama.model.RopeScaling;

/** Rotary scaling from GGUF's {@code rope.scaling.*} keys and {@code rope_freqs.weight}. */
final class GgufRope {
  private final Fields metadata;
  private final ModelTensors tensors;
  private final String prefix;

  GgufRope(Fields metadata, ModelTensors tensors, String architecture) {
    this.metadata = metadata;
    this.tensors = tensors;
    this.prefix = architecture + ".rope.";
  }

  /**
   * @param ropeDim values of a head that are rotated
   * @param context the stated one
   */
  RopeScaling read(int ropeDim, int context) {
    RopeScaling scaling = byKeys(context);
    Optional<float[]> factors = tensors.values("rope_freqs.weight", Math.max(1, ropeDim / 2));
    if (factors.isEmpty()) {
      return scaling;
    }
    return switch (scaling) {
      case RopeScaling.None _ -> new RopeScaling.PerFrequency(factors.get());
      case RopeScaling.Linear(double factor) ->
          new RopeScaling.PerFrequency(times(factors.get(), factor));
      default ->
          throw new UnsupportedModelException(
              metadata.file()
                  + ": rope_freqs.weight together with yarn scaling is not supported;"
                  + " convert the model again");
    };
  }

  private RopeScaling byKeys(int context) {
    double old = factor("scale_linear", 1); // files of 2023
    double factor = factor("scaling.factor", old);
    String type = metadata.optionalString(prefix + "scaling.type").orElse("linear");
    return switch (type) {
      case "none" -> new RopeScaling.None();
      case "linear" -> factor == 1 ? new RopeScaling.None() : new RopeScaling.Linear(factor);
      case "yarn" -> yarn(factor, context);
      default ->
          throw new UnsupportedModelException(
              metadata.file()
                  + ": rotary scaling "
                  + Untrusted.quote(type)
                  + " is not supported; none, linear, yarn and rope_freqs.weight are");
    };
  }

  // Converters write 0 for "none".
  private double factor(String key, double otherwise) {
    boolean zero = Double.valueOf(0).equals(metadata.raw(prefix + key));
    return zero ? otherwise : metadata.above(prefix + key, 0, otherwise);
  }

  private RopeScaling yarn(double factor, int context) {
    String scaling = prefix + "scaling.";
    if (metadata.above(scaling + "yarn_ext_factor", 0, 1) != 1) {
      throw new UnsupportedModelException(
          metadata.file() + ": yarn_ext_factor is not supported; convert the model again");
    }
    int original =
        metadata.integer(scaling + "original_context_length", 1, ModelLayout.MAX_CONTEXT, context);
    double attention =
        metadata.above(scaling + "attn_factor", 0, 1)
            * metadata.above(scaling + "yarn_attn_factor", 0, 1);
    return new RopeScaling.Yarn(
        factor,
        original,
        metadata.above(scaling + "yarn_beta_fast", 0, 32),
        metadata.above(scaling + "yarn_beta_slow", 0, 1),
        attention * Yarn.attentionFactor(factor));
  }

  private static float[] times(float[] factors, double factor) {
    float[] product = new float[factors.length];
    for (int i = 0; i < product.length; i++) {
      product[i] = (float) (factors[i] * factor);
    }
    return product;
  }
}
