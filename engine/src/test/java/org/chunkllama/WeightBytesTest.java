package org.chunkllama;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.OptionalLong;
import org.chunkllama.files.TensorInfo;
import org.chunkllama.spi.DType;
import org.junit.jupiter.api.Test;

class WeightBytesTest {
  /** Half a byte a value in Q4_K; all else becomes wide. */
  private static OptionalLong kept(DType type, long values) {
    return type == DType.Q4_K ? OptionalLong.of(values / 2) : OptionalLong.empty();
  }

  private static TensorInfo tensor(String name, DType type, long rows) {
    return new TensorInfo(name, name, type, List.of(rows, 256L), 0);
  }

  @Test
  void aStackStaysQuantisedOnlyAsAWhole() {
    TensorInfo q = tensor("blk.0.attn_q.weight", DType.Q4_K, 4);
    TensorInfo k = tensor("blk.0.attn_k.weight", DType.Q4_K, 2);
    TensorInfo v = tensor("blk.0.attn_v.weight", DType.Q6_K, 2);
    TensorInfo otherLayer = tensor("blk.1.attn_v.weight", DType.Q4_K, 2);
    assertThat(WeightBytes.of(List.of(q, k, v), false, WeightBytesTest::kept))
        .isEqualTo(8 * 256 * 2);
    assertThat(WeightBytes.of(List.of(q, k, v), true, WeightBytesTest::kept))
        .isEqualTo(8 * 256 * 4);
    assertThat(WeightBytes.of(List.of(q, k, otherLayer), false, WeightBytesTest::kept))
        .as("half a byte a value, and room to dequantise the larger one")
        .isEqualTo(8 * 256 / 2 + 6 * 256 * 2);
  }

  @Test
  void gateAndUpAreOneMatrix() {
    TensorInfo gate = tensor("blk.0.ffn_gate.weight", DType.Q4_K, 8);
    TensorInfo up = tensor("blk.0.ffn_up.weight", DType.Q4_K, 8);
    TensorInfo down = tensor("blk.0.ffn_down.weight", DType.F16, 8);
    assertThat(WeightBytes.of(List.of(gate, up, down), false, WeightBytesTest::kept))
        .isEqualTo(16 * 256 / 2 + 16 * 256 * 2 + 8 * 256 * 2);
  }
}
