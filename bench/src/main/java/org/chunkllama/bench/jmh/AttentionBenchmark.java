package org.chunkllama.bench.jmh;

import java.util.concurrent.TimeUnit;
import org.chunkllama.bench.AttentionWorkload;
import org.chunkllama.bench.AttentionWorkload.Heads;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.Backends;
import org.chunkllama.spi.DType;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** One layer's decode attention on all cores: the paper's shape, 64 own tokens a sequence. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
@SuppressWarnings("NullAway.Init") // by setUp
public class AttentionBenchmark {
  @Param({"F32", "BF16"})
  private DType kv;

  @Param({"0", "2048"})
  private int shared;

  @Param("32")
  private int batch;

  private Backend backend;
  private AttentionWorkload workload;

  /** Opens the backend and fills the cache. */
  @Setup
  public void setUp() {
    backend = Backends.open(Backends.AUTO, BackendOptions.defaults());
    Heads heads = new Heads(32, 32, 128, 64, kv);
    workload = new AttentionWorkload(backend, heads, batch, shared, 64, 1);
  }

  /** Frees the cache. */
  @TearDown
  public void tearDown() {
    workload.close();
    backend.close();
  }

  /** Chunk first where that pays. */
  @Benchmark
  public void twoPhase() {
    workload.twoPhase();
  }

  /** Each sequence for itself, over the same chunks. */
  @Benchmark
  public void sequenceFirst() {
    workload.sequenceFirst();
  }

  /** The writes of K and V. */
  @Benchmark
  public void append() {
    workload.append();
  }
}
