package org.chunkllama.bench.jmh;

import java.util.concurrent.TimeUnit;
import org.chunkllama.bench.FmaPeak;
import org.chunkllama.bench.ProductWorkload;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendOptions.Precision;
import org.chunkllama.spi.Backends;
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

/** A linear layer of 2048 x 2048 in fp32 on one core, beside as many multiply-adds on registers. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
@SuppressWarnings("NullAway.Init") // by setUp
public class ProductBenchmark {
  private static final int SIZE = 2048;

  @Param({"12", "96", "480"})
  private int rows;

  private final FmaPeak peak = new FmaPeak();
  private Backend backend;
  private ProductWorkload workload;
  private int steps;

  /** Opens the backend, fills the matrix. */
  @Setup
  public void setUp() {
    backend =
        Backends.open(
            Backends.AUTO, BackendOptions.defaults().withThreads(1).withPrecision(Precision.FP32));
    workload = new ProductWorkload(backend, rows, SIZE);
    steps = FmaPeak.steps(workload.operations());
  }

  /** Frees the matrix. */
  @TearDown
  public void tearDown() {
    workload.close();
    backend.close();
  }

  /** The product. */
  @Benchmark
  public void product() {
    workload.multiply();
  }

  /** As many operations at the core's peak. */
  @Benchmark
  public void peak() {
    peak.run(steps);
  }
}
