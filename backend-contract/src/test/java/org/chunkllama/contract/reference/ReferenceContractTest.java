package org.chunkllama.contract.reference;

import org.chunkllama.contract.ActivationContract;
import org.chunkllama.contract.AttentionContract;
import org.chunkllama.contract.AttentionEdgeContract;
import org.chunkllama.contract.ChunkAttentionContract;
import org.chunkllama.contract.EightBitKvContract;
import org.chunkllama.contract.KvCacheContract;
import org.chunkllama.contract.LinearContract;
import org.chunkllama.contract.NormContract;
import org.chunkllama.contract.RotaryContract;
import org.chunkllama.contract.RowsContract;
import org.chunkllama.contract.SamplingContract;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.Backends;
import org.junit.jupiter.api.Nested;

/** The reference backend under the contract, from another package as other backends are. */
class ReferenceContractTest {
  private static Backend reference(BackendOptions options) {
    return Backends.open("reference", options);
  }

  @Nested
  class Attention extends AttentionContract {
    @Override
    protected Backend open(BackendOptions options) {
      return reference(options);
    }
  }

  @Nested
  class AttentionEdges extends AttentionEdgeContract {
    @Override
    protected Backend open(BackendOptions options) {
      return reference(options);
    }
  }

  @Nested
  class EightBitKv extends EightBitKvContract {
    @Override
    protected Backend open(BackendOptions options) {
      return reference(options);
    }
  }

  @Nested
  class Operator extends ChunkAttentionContract {
    @Override
    protected Backend open(BackendOptions options) {
      return reference(options);
    }
  }

  @Nested
  class KvCaches extends KvCacheContract {
    @Override
    protected Backend open(BackendOptions options) {
      return reference(options);
    }
  }

  @Nested
  class Linear extends LinearContract {
    @Override
    protected Backend open(BackendOptions options) {
      return reference(options);
    }
  }

  @Nested
  class Norm extends NormContract {
    @Override
    protected Backend open(BackendOptions options) {
      return reference(options);
    }
  }

  @Nested
  class Rotary extends RotaryContract {
    @Override
    protected Backend open(BackendOptions options) {
      return reference(options);
    }
  }

  @Nested
  class Activation extends ActivationContract {
    @Override
    protected Backend open(BackendOptions options) {
      return reference(options);
    }
  }

  @Nested
  class Rows extends RowsContract {
    @Override
    protected Backend open(BackendOptions options) {
      return reference(options);
    }
  }

  @Nested
  class Sampling extends SamplingContract {
    @Override
    protected Backend open(BackendOptions options) {
      return reference(options);
    }
  }
}
