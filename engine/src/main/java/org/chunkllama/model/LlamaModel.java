package org.chunkllama.model;

import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.RotaryTable;
import org.chunkllama.spi.StepInputs;
import org.chunkllama.spi.Tensor;

/**
 * A decoder of the Llama family on a backend.
 *
 * <p>One thread drives it. A step allocates nothing but, rarely, wider logits.
 */
public final class LlamaModel implements AutoCloseable {
  private final Backend backend;
  private final ModelConfig config;
  private final LlamaWeights weights;
  private final RotaryTable rotary;
  private final Activations activations;
  private final float scale;

  private LlamaModel(
      Backend backend, ModelConfig config, LlamaWeights weights, int rows, int context) {
    this.backend = backend;
    this.config = config;
    this.weights = weights;
    this.rotary = RotaryTables.build(config, context);
    this.activations = new Activations(backend, config, rows);
    this.scale = (float) (1 / Math.sqrt(config.headDim()));
  }

  /**
   * Puts a model's weights on a backend.
   *
   * @param backend keeps the weights until it is closed
   * @param config what to compute
   * @param source weights; must stay readable as long as the model is used
   * @param rows most rows of a step
   * @param context positions 0 .. context - 1 can be computed
   * @param progress told after each layer
   * @throws org.chunkllama.error.ModelFileException if a weight is missing or has a wrong shape
   */
  public static LlamaModel load(
      Backend backend,
      ModelConfig config,
      WeightSource source,
      int rows,
      int context,
      LoadProgress progress) {
    return load(backend, config, new StoredWeights(backend, source), rows, context, progress);
  }

  /**
   * A model of random weights, for measurements: its answers mean nothing. The same on every
   * backend.
   *
   * @param backend keeps the weights until it is closed
   * @param config what to compute
   * @param seed of the weights
   * @param rows most rows of a step
   * @param context positions 0 .. context - 1 can be computed
   * @param progress told after each layer
   */
  public static LlamaModel random(
      Backend backend,
      ModelConfig config,
      long seed,
      int rows,
      int context,
      LoadProgress progress) {
    return load(backend, config, new RandomWeights(backend, seed), rows, context, progress);
  }

  private static LlamaModel load(
      Backend backend,
      ModelConfig config,
      WeightSupply supply,
      int rows,
      int context,
      LoadProgress progress) {
    LlamaWeights weights = new WeightLoader(config, supply, progress).load();
    return new LlamaModel(backend, config, weights, rows, context);
  }

  /** Bytes of device memory that a model takes beside its weights and KV, about. */
  public static long activationBytes(ModelConfig config, int rows, int outputs) {
    return Activations.bytes(config, rows, outputs);
  }

  public ModelConfig config() {
    return config;
  }

  /** Most rows of a step. */
  public int rows() {
    return activations.rows;
  }

  /**
   * Computes all rows of a step, writes their keys and values to {@code cache}.
   *
   * @return logits {@code [plan.outputs()][vocabulary]}, valid until the next call
   */
  public Tensor forward(StepPlan plan, KvCache cache) {
    int rows = plan.rows();
    if (rows > activations.rows) {
      throw new IllegalArgumentException(rows + " rows in a step for at most " + activations.rows);
    }
    activations.ensureOutputs(plan.outputs());
    backend.step(this, cache, inputs(plan), () -> operations(plan, cache));
    return activations.logits();
  }

  /** Tells the backend what the next {@link #forward} will probably compute, tokens unknown. */
  public void prepare(StepPlan plan, KvCache cache) {
    backend.prepareStep(cache, inputs(plan));
  }

  private static StepInputs inputs(StepPlan plan) {
    return new StepInputs(
        plan.tokens(), plan.positions(), plan.outputRows(), plan.outputs(), plan.attention());
  }

  private void operations(StepPlan plan, KvCache cache) {
    int rows = plan.rows();
    backend.embed(weights.embedding(), plan.tokens(), rows, activations.hidden);
    int last = config.layers() - 1;
    for (int i = 0; i < last; i++) {
      LayerWeights layer = weights.layers()[i];
      queriesKeysValues(layer, i, plan, cache);
      attend(i, plan.attention(), cache);
      finishLayer(layer, rows, activations.attended, activations.hidden);
    }
    LayerWeights layer = weights.layers()[last];
    queriesKeysValues(layer, last, plan, cache);
    if (plan.outputs() > 0) {
      attend(last, plan.attention(), cache);
      outputs(layer, plan);
    }
  }

  private void queriesKeysValues(LayerWeights layer, int index, StepPlan plan, KvCache cache) {
    Activations a = activations;
    int rows = plan.rows();
    int heads = config.heads();
    int kvHeads = config.kvHeads();
    int headDim = config.headDim();
    backend.rmsNorm(a.hidden, rows, layer.attentionNorm(), config.normEpsilon(), a.normed);
    backend.linear(layer.qkv(), layer.qkvBias(), a.normed, rows, a.qkv, false);
    Tensor queryNorm = layer.queryNorm();
    Tensor keyNorm = layer.keyNorm();
    if (queryNorm != null && keyNorm != null) {
      float epsilon = config.normEpsilon();
      backend.headNorm(a.qkv, rows, 0, heads, queryNorm, epsilon);
      backend.headNorm(a.qkv, rows, heads * headDim, kvHeads, keyNorm, epsilon);
    }
    backend.rotaryAppend(cache, index, a.qkv, heads, rotary, plan.positions(), plan.attention());
  }

  private void attend(int index, AttentionPlan plan, KvCache cache) {
    backend.attention(
        cache, index, activations.qkv, config.heads(), scale, plan, activations.attended);
  }

  /** Output projection and MLP, both added to {@code hidden}. */
  private void finishLayer(LayerWeights layer, int rows, Tensor attended, Tensor hidden) {
    Activations a = activations;
    backend.linear(layer.output(), layer.outputBias(), attended, rows, hidden, true);
    backend.rmsNorm(hidden, rows, layer.feedForwardNorm(), config.normEpsilon(), a.normed);
    backend.linear(layer.gateUp(), null, a.normed, rows, a.gateUp, false);
    backend.siluGate(a.gateUp, rows, a.gated);
    backend.linear(layer.down(), null, a.gated, rows, hidden, true);
  }

  /** The rest of the last layer and the logits, for output rows only. */
  private void outputs(LayerWeights layer, StepPlan plan) {
    Activations a = activations;
    int count = plan.outputs();
    Tensor hidden = a.hidden;
    Tensor attended = a.attended;
    if (count < plan.rows()) {
      hidden = a.outputHidden();
      attended = a.outputAttended();
      backend.gather(a.hidden, plan.outputRows(), count, hidden);
      backend.gather(a.attended, plan.outputRows(), count, attended);
    }
    finishLayer(layer, count, attended, hidden);
    backend.rmsNorm(hidden, count, weights.outputNorm(), config.normEpsilon(), a.normed);
    backend.linear(weights.output(), null, a.normed, count, a.logits(), false);
  }

  /** Frees activations; weights go with the backend. */
  @Override
  public void close() {
    activations.close();
  }
}
