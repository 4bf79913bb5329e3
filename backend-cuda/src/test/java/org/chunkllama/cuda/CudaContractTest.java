package org.chunkllama.cuda;

import org.chunkllama.contract.ActivationContract;
import org.chunkllama.contract.AttentionContract;
import org.chunkllama.contract.ChunkAttentionContract;
import org.chunkllama.contract.JoinLeaveContract;
import org.chunkllama.contract.KvCacheContract;
import org.chunkllama.contract.LinearContract;
import org.chunkllama.contract.NormContract;
import org.chunkllama.contract.RotaryContract;
import org.chunkllama.contract.RowSamplerContract;
import org.chunkllama.contract.RowsContract;
import org.chunkllama.contract.SamplingContract;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.WeightPolicy;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;

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
