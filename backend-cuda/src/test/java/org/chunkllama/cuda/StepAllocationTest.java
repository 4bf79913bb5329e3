package org.chunkllama.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.List;
import org.chunkllama.cuda.driver.FakeCuda;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.RandomWeight;
import org.chunkllama.spi.RotaryTable;
import org.chunkllama.spi.RowDraws;
import org.chunkllama.spi.RowSampler;
import org.chunkllama.spi.StepInputs;
import org.chunkllama.spi.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the host allocates for steps that are alike, on a GPU that computes nothing. */
class StepAllocationTest extends FakeGpuTest {
  private static final int CHUNK = 64;
  private static final int ROWS = 8;
  private static final int HEADS = 4;
  private static final int WIDTH = HEADS * 64;
  private static final int WARM = 6000; // steps, for the JIT too
  private static final int MEASURED = 2000;

  /** A layer and its surroundings. */
  private static final class Layer {
    private final CudaBackend backend;
    private final KvCache cache;
    private final Matrix table;
    private final Matrix qkvWeight;
    private final Matrix output;
    private final Tensor norm;
    private final Tensor hidden;
    private final Tensor normed;
    private final Tensor qkv;
    private final Tensor attended;
    private final Tensor logits;
    private final RowSampler sampler;
    private final RotaryTable rotary;
    private final AttentionPlanner planner = new AttentionPlanner(CHUNK, 1, HEADS, 2, true);
    private final RowDraws draws = new RowDraws(300);
    private final Runnable operations = this::operations;
    private final int[][] paths = new int[ROWS][];
    private final int[] tokens = new int[ROWS];
    private final int[] outputRows = new int[ROWS];
    private final StepInputs inputs;
    private AttentionPlan plan;
    private int position = CHUNK;

    Layer(CudaBackend backend, int outputs) {
      this.backend = backend;
      cache = backend.kvCache(new KvLayout(1, 2, 64, CHUNK, DType.F16), 2 * ROWS);
      table = weight("token_embd.weight", 300, WIDTH);
      qkvWeight = weight("attn_q.weight", 2 * WIDTH, WIDTH);
      output = weight("output.weight", 300, WIDTH);
      norm = backend.tensor(1, WIDTH);
      hidden = backend.tensor(ROWS, WIDTH);
      normed = backend.tensor(ROWS, WIDTH);
      qkv = backend.tensor(ROWS, 2 * WIDTH);
      attended = backend.tensor(ROWS, WIDTH);
      logits = backend.tensor(ROWS, 300);
      sampler = backend.rowSampler(300).orElseThrow();
      float[] angles = new float[2 * CHUNK * 32];
      rotary = new RotaryTable(angles, angles, 2 * CHUNK, 64, RotaryTable.Layout.SPLIT_HALVES);
      Arrays.setAll(paths, row -> new int[] {0, row + 1});
      Arrays.setAll(outputRows, row -> row);
      plan = plan();
      inputs = new StepInputs(tokens, plan.rowPosition, outputRows, outputs, plan);
    }

    private Matrix weight(String name, int rows, int columns) {
      return backend.randomMatrix(List.of(RandomWeight.named(name, rows, columns, 1)));
    }

    private AttentionPlan plan() {
      position = position + 1 < 2 * CHUNK ? position + 1 : CHUNK;
      planner.begin();
      for (int row = 0; row < ROWS; row++) {
        planner.add(paths[row], position, 1);
      }
      return planner.finish();
    }

    private void operations() {
      backend.embed(table, inputs.tokens(), ROWS, hidden);
      backend.rmsNorm(hidden, ROWS, norm, 1e-5f, normed);
      backend.linear(qkvWeight, null, normed, ROWS, qkv, false);
      backend.rotaryAppend(cache, 0, qkv, HEADS, rotary, inputs.positions(), plan);
      backend.attention(cache, 0, qkv, HEADS, 0.125f, plan, attended);
      backend.gather(attended, inputs.outputRows(), inputs.outputs(), normed);
      backend.linear(output, null, normed, ROWS, logits, false);
    }

    void step() {
      plan = plan();
      backend.prepareStep(cache, inputs);
      tokens[position % ROWS]++;
      tokens[position % ROWS] %= 300;
      backend.step(this, cache, inputs, operations);
      draws.clear();
      for (int row = 0; row < inputs.outputs(); row++) {
        draws.add(row);
      }
      sampler.start(logits, draws);
      sampler.finish(draws);
    }
  }

  /** Steps with a token of each row are a graph, others run as they are. */
  @ParameterizedTest
  @ValueSource(ints = {ROWS, 1})
  void stepsThatAreAlikeAllocateNothing(int outputs) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    FakeCuda cuda = new FakeCuda(FakeCuda.OF_A_STEP);
    try (CudaBackend backend = open(cuda)) {
      Layer layer = new Layer(backend, outputs);
      AttentionPlan first = layer.plan;
      for (int i = 0; i < WARM; i++) {
        layer.step();
      }
      assertThat(layer.plan).as("the planner's one plan").isSameAs(first);
      assertThat(layer.plan.rowPosition).isSameAs(layer.inputs.positions());
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < MEASURED; i++) {
        layer.step();
      }
      long bytes = threads.getCurrentThreadAllocatedBytes() - before;
      assertThat((double) bytes / MEASURED).as("bytes of a step").isLessThan(1);
      assertThat(cuda.live().containsKey("executable graph")).isEqualTo(outputs == ROWS);
    }
  }
}
