package org.chunkllama.files;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Hugging Face's tensor names into GGUF's. */
final class HfNames {
  private static final Map<String, String> OUTER =
      Map.of(
          "model.embed_tokens.weight", "token_embd.weight",
          "model.norm.weight", "output_norm.weight",
          "lm_head.weight", "output.weight");

  private static final Map<String, String> INNER =
      Map.ofEntries(
          Map.entry("input_layernorm", "attn_norm"),
          Map.entry("self_attn.q_proj", "attn_q"),
          Map.entry("self_attn.k_proj", "attn_k"),
          Map.entry("self_attn.v_proj", "attn_v"),
          Map.entry("self_attn.o_proj", "attn_output"),
          Map.entry("self_attn.q_norm", "attn_q_norm"),
          Map.entry("self_attn.k_norm", "attn_k_norm"),
          Map.entry("post_attention_layernorm", "ffn_norm"),
          Map.entry("mlp.gate_proj", "ffn_gate"),
          Map.entry("mlp.up_proj", "ffn_up"),
          Map.entry("mlp.down_proj", "ffn_down"));

  private static final Pattern LAYER =
      Pattern.compile("model\\.layers\\.(0|[1-9][0-9]*)\\.(.+)\\.(weight|bias)");

  private HfNames() {}

  /** The canonical name, or {@code stored} itself if it has none. */
  static String canonical(String stored) {
    Matcher layer = LAYER.matcher(stored);
    if (layer.matches()) {
      String inner = INNER.get(layer.group(2));
      return inner == null ? stored : "blk." + layer.group(1) + "." + inner + "." + layer.group(3);
    }
    return OUTER.getOrDefault(stored, stored);
  }
}
