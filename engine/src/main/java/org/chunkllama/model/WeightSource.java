package org.chunkllama.model;

import java.util.Optional;
import org.chunkllama.spi.WeightTensor;

/**
 * Weights by name. Names are GGUF's, whatever the file: {@code token_embd.weight}, {@code
 * output_norm.weight}, {@code output.weight}, {@code blk.N.attn_norm.weight}, {@code
 * blk.N.attn_{q,k,v,output}.{weight,bias}}, {@code blk.N.attn_{q,k}_norm.weight}, {@code
 * blk.N.ffn_norm.weight}, {@code blk.N.ffn_{gate,up,down}.weight}.
 */
@FunctionalInterface
public interface WeightSource {
  /** The tensor called {@code name}, if the file has it. */
  Optional<WeightTensor> find(String name);
}
