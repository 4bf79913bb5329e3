package org.chunkllama.files;

import java.util.Set;
import org.chunkllama.error.UnsupportedModelException;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.model.RopeScaling;
import org.chunkllama.spi.RotaryTable;

/** A {@link ModelConfig} from GGUF metadata. */
final class GgufConfig {
  private static final Set<String> ARCHITECTURES = Set.of("llama", "mistral", "qwen2", "qwen3");

  private final Fields metadata;
  private final ModelTensors tensors;
  private final String architecture;

  private GgufConfig(Fields metadata, ModelTensors tensors) {
    this.metadata = metadata;
    this.tensors = tensors;
    this.architecture = metadata.string("general.architecture");
  }

  static ModelConfig read(Fields metadata, ModelTensors tensors, Progress progress) {
    GgufConfig reader = new GgufConfig(metadata, tensors);
    reader.refuseOtherKinds();
    ModelConfig config = reader.read(progress);
    ModelLayout.check(config, metadata.file());
    return config;
  }

  private void refuseOtherKinds() {
    String file = metadata.file();
    if (!ARCHITECTURES.contains(architecture)) {
      throw new UnsupportedModelException(
          file
              + ": architecture "
              + Untrusted.quote(architecture)
              + " is not supported; use a llama, mistral, qwen2 or qwen3 model");
    }
    if (metadata.integer(key("expert_count"), 0, Integer.MAX_VALUE, 0) > 0) {
      throw new UnsupportedModelException(
          file + ": mixtures of experts are not supported; use a dense model");
    }
    if (metadata.integer("split.count", 0, Integer.MAX_VALUE, 0) > 1) {
      throw new UnsupportedModelException(
          file + " is one part of a split model; join the parts with llama-gguf-split --merge");
    }
  }

  private ModelConfig read(Progress progress) {
    int hidden = metadata.integer(key("embedding_length"), 1, ModelLayout.MAX_WIDTH);
    int heads = metadata.integer(key("attention.head_count"), 1, ModelLayout.MAX_HEADS);
    int headDim =
        metadata.integer(
            key("attention.key_length"), 1, ModelLayout.MAX_WIDTH, Math.max(1, hidden / heads));
    int valueDim =
        metadata.integer(key("attention.value_length"), 1, ModelLayout.MAX_WIDTH, headDim);
    if (valueDim != headDim) {
      throw new UnsupportedModelException(
          metadata.file()
              + ": heads of "
              + headDim
              + " key and "
              + valueDim
              + " value dims are not supported; use a model with equal ones");
    }
    int ropeDim = metadata.integer(key("rope.dimension_count"), 1, Integer.MAX_VALUE, headDim);
    int stated = metadata.integer(key("context_length"), 1, ModelLayout.MAX_CONTEXT);
    RopeScaling scaling = new GgufRope(metadata, tensors, architecture).read(ropeDim, stated);
    boolean llama = architecture.equals("llama") || architecture.equals("mistral");
    return new ModelConfig(
        architecture,
        metadata.integer(key("block_count"), 1, ModelLayout.MAX_LAYERS),
        hidden,
        heads,
        metadata.integer(key("attention.head_count_kv"), 1, ModelLayout.MAX_HEADS, heads),
        headDim,
        metadata.integer(key("feed_forward_length"), 1, ModelLayout.MAX_WIDTH),
        vocabulary(),
        context(scaling, stated, progress),
        (float) metadata.above(key("attention.layer_norm_rms_epsilon"), 0),
        metadata.above(key("rope.freq_base"), 1, 10_000),
        ropeDim,
        scaling,
        llama ? RotaryTable.Layout.INTERLEAVED_PAIRS : RotaryTable.Layout.SPLIT_HALVES,
        architecture.equals("qwen2") || tensors.has("blk.0.attn_q.bias"),
        tensors.has("blk.0.attn_output.bias"),
        architecture.equals("qwen3"),
        !tensors.has("output.weight"));
  }

  private int vocabulary() {
    long rows = tensors.rows("token_embd.weight");
    if (rows < 1 || rows > ModelLayout.MAX_VOCABULARY) {
      throw Untrusted.damaged(
          metadata.file(), "token_embd.weight is missing or of an absurd size (" + rows + " rows)");
    }
    return (int) rows;
  }

  private int context(RopeScaling scaling, int stated, Progress progress) {
    int context = ContextLimit.stretched(stated, scaling);
    int window =
        metadata.integer(key("attention.sliding_window"), 0, Integer.MAX_VALUE, Integer.MAX_VALUE);
    return ContextLimit.within(window, context, metadata.file(), progress);
  }

  private String key(String suffix) {
    return architecture + "." + suffix;
  }
}
