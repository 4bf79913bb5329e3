package org.chunkllama.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.chunkllama.contract.ActivationContract;
import org.chunkllama.contract.AttentionContract;
import org.chunkllama.contract.AttentionEdgeContract;
import org.chunkllama.contract.ChunkAttentionContract;
import org.chunkllama.contract.EightBitKvContract;
import org.chunkllama.contract.JoinLeaveContract;
import org.chunkllama.contract.KvCacheContract;
import org.chunkllama.contract.LinearContract;
import org.chunkllama.contract.NormContract;
import org.chunkllama.contract.PreparedStepContract;
import org.chunkllama.contract.RotaryContract;
import org.chunkllama.contract.RowSamplerContract;
import org.chunkllama.contract.RowsContract;
import org.chunkllama.contract.SamplingContract;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.Tensor;
import org.chunkllama.spi.WeightPolicy;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The GPU under the contract of all backends. */
class CudaContractTest {
  @BeforeAll
  static void needsAGpu() {
    Gpu.require();
  }

  @Nested
  class Attention extends AttentionContract {
    @Override
    protected Backend open(BackendOptions options) {
      return Gpu.open(options);
    }
  }

  @Nested
  class AttentionEdges extends AttentionEdgeContract {
    @Override
    protected Backend open(BackendOptions options) {
      return Gpu.open(options);
    }
  }

  @Nested
  class EightBitKv extends EightBitKvContract {
    @Override
    protected Backend open(BackendOptions options) {
      return Gpu.open(options);
    }
  }

  @Nested
  class Operator extends ChunkAttentionContract {
    @Override
    protected Backend open(BackendOptions options) {
      return Gpu.open(options);
    }
  }

  @Nested
  class JoinLeave extends JoinLeaveContract {
    @Override
    protected Backend open(BackendOptions options) {
      return Gpu.open(options);
    }

    @Override
    protected int steps() {
      return 10_000;
    }
  }

  @Nested
  class PreparedStep extends PreparedStepContract {
    @Override
    protected Backend open(BackendOptions options) {
      return Gpu.open(options);
    }
  }

  @Nested
  class KvCaches extends KvCacheContract {
    @Override
    protected Backend open(BackendOptions options) {
      return Gpu.open(options);
    }
  }

  @Nested
  class Linear extends LinearContract {
    @Override
    protected Backend open(BackendOptions options) {
      return Gpu.open(options);
    }
  }

  /** Quantised weights stay so. */
  @Nested
  class QuantisedLinear extends LinearContract {
    @Override
    protected Backend open(BackendOptions options) {
      return Gpu.open(options.withWeights(WeightPolicy.QUANTISED));
    }
  }

  @Nested
  class Norm extends NormContract {
    @Override
    protected Backend open(BackendOptions options) {
      return Gpu.open(options);
    }
  }

  @Nested
  class Rotary extends RotaryContract {
    @Override
    protected Backend open(BackendOptions options) {
      return Gpu.open(options);
    }
  }

  @Nested
  class Activation extends ActivationContract {
    @Override
    protected Backend open(BackendOptions options) {
      return Gpu.open(options);
    }
  }

  @Nested
  class Rows extends RowsContract {
    @Override
    protected Backend open(BackendOptions options) {
      return Gpu.open(options);
    }

    @ParameterizedTest
    @ValueSource(ints = {40, 9000, (1 << 19) + 3}) // the last on the host
    void argmaxOfNaNSaysSo(int columns) {
      float[] values = new float[columns];
      values[columns - 1] = 1;
      try (Backend backend = Gpu.open(BackendOptions.defaults());
          Tensor in = backend.tensor(2, columns)) {
        in.write(0, values, 0);
        values[7] = Float.NaN;
        in.write(1, values, 0);
        int[] indices = new int[2];
        backend.argmax(in, 1, indices);
        assertThat(indices[0]).isEqualTo(columns - 1);
        assertThatThrownBy(() -> backend.argmax(in, 2, indices))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("row 1 of the model's logits holds NaN");
      }
    }
  }

  @Nested
  class Sampling extends SamplingContract {
    @Override
    protected Backend open(BackendOptions options) {
      return Gpu.open(options);
    }
  }

  @Nested
  class RowSampling extends RowSamplerContract {
    @Override
    protected Backend open(BackendOptions options) {
      return Gpu.open(options);
    }
  }
}
