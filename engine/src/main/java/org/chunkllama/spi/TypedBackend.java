package org.chunkllama.spi;

import org.chunkllama.plan.AttentionPlan;
import org.jspecify.annotations.Nullable;

/**
 * A backend whose operations get its own types, after all that can be said of their arguments
 * without looking into arrays was checked: shapes, heads, layers, memory of another backend. What
 * is wrong is an {@link IllegalArgumentException}, and nothing was computed.
 *
 * @param <T> its tensors
 * @param <M> its matrices
 * @param <C> its KV caches
 */
public abstract class TypedBackend<T extends Tensor, M extends Matrix, C extends KvCache>
    implements Backend {
  private final Arguments<T, M, C> ours;

  /** {@code ours}: tells the backend's own types from others. */
  protected TypedBackend(Arguments<T, M, C> ours) {
    this.ours = ours;
  }

  @Override
  public final void embed(Matrix table, int[] tokens, int count, Tensor out) {
    M from = ours.matrix(table);
    embedRows(from, tokens, count, ours.tensor("out", out, count, from.inputs()));
  }

  /** See {@link #embed}; {@code tokens} are not checked. */
  protected abstract void embedRows(M table, int[] tokens, int count, T out);

  @Override
  public final void rmsNorm(Tensor in, int rows, Tensor weight, float epsilon, Tensor out) {
    Arguments.distinct(in, out);
    T from = ours.tensor("in", in, rows);
    T w = ours.tensor("weight", weight, 1, from.columns());
    normRows(from, rows, w, epsilon, ours.tensor("out", out, rows, from.columns()));
  }

  /** See {@link #rmsNorm}. */
  protected abstract void normRows(T in, int rows, T weight, float epsilon, T out);

  @Override
  public final void headNorm(
      Tensor inOut, int rows, int firstColumn, int heads, Tensor weight, float epsilon) {
    T x = ours.tensor("inOut", inOut, rows);
    T w = ours.tensor("weight", weight, 1);
    Arguments.heads(x, firstColumn, heads, w.columns());
    normHeads(x, rows, firstColumn, heads, w, epsilon);
  }

  /** See {@link #headNorm}. */
  protected abstract void normHeads(
      T inOut, int rows, int firstColumn, int heads, T weight, float epsilon);

  @Override
  public final void linear(
      Matrix w, @Nullable Tensor bias, Tensor in, int rows, Tensor out, boolean add) {
    Arguments.distinct(in, out);
    M weight = ours.matrix(w);
    T from = ours.tensor("in", in, rows, weight.inputs());
    T to = ours.tensor("out", out, rows, weight.outputs());
    T b = bias == null ? null : ours.tensor("bias", bias, 1, weight.outputs());
    multiply(weight, b, from, rows, to, add);
  }

  /** See {@link #linear}. */
  protected abstract void multiply(M weight, @Nullable T bias, T in, int rows, T out, boolean add);

  @Override
  public final void siluGate(Tensor gateUp, int rows, Tensor out) {
    Arguments.distinct(gateUp, out);
    T to = ours.tensor("out", out, rows);
    gate(ours.tensor("gateUp", gateUp, rows, 2 * to.columns()), rows, to);
  }

  /** See {@link #siluGate}. */
  protected abstract void gate(T gateUp, int rows, T out);

  @Override
  public final void rotary(
      Tensor inOut,
      int rows,
      int firstColumn,
      int heads,
      int headDim,
      RotaryTable table,
      int[] positions) {
    T x = ours.tensor("inOut", inOut, rows);
    Arguments.heads(x, firstColumn, heads, headDim);
    Arguments.rotated(table, headDim);
    rotate(x, rows, firstColumn, heads, headDim, table, positions);
  }

  /** See {@link #rotary}; {@code positions} are not checked. */
  protected abstract void rotate(
      T inOut,
      int rows,
      int firstColumn,
      int heads,
      int headDim,
      RotaryTable table,
      int[] positions);

  @Override
  public final void append(KvCache cache, int layer, Tensor qkv, AttentionPlan plan) {
    C to = ours.cache(cache, layer, plan);
    T from = ours.tensor("qkv", qkv, plan.rows);
    int queryHeads = Arguments.queryHeads(to.layout(), from.columns());
    if (plan.rows > 0) {
      appendRows(to, layer, from, queryHeads, plan);
    }
  }

  /** See {@link #append}; there is a row. What the plan holds is not checked. */
  protected abstract void appendRows(C cache, int layer, T qkv, int queryHeads, AttentionPlan plan);

  @Override
  public final void rotaryAppend(
      KvCache cache,
      int layer,
      Tensor qkv,
      int queryHeads,
      RotaryTable table,
      int[] positions,
      AttentionPlan plan) {
    C to = ours.cache(cache, layer, plan);
    KvLayout kv = to.layout();
    T x = ours.tensor("qkv", qkv, plan.rows, Arguments.qkvColumns(kv, queryHeads));
    Arguments.rotated(table, kv.headDim());
    if (plan.rows > 0) {
      rotateAndAppend(to, layer, x, queryHeads, table, positions, plan);
    }
  }

  /** See {@link #rotaryAppend}; there is a row. One after the other, unless a backend does both. */
  protected void rotateAndAppend(
      C cache,
      int layer,
      T qkv,
      int queryHeads,
      RotaryTable table,
      int[] positions,
      AttentionPlan plan) {
    KvLayout kv = cache.layout();
    rotate(qkv, plan.rows, 0, queryHeads + kv.kvHeads(), kv.headDim(), table, positions);
    appendRows(cache, layer, qkv, queryHeads, plan);
  }

  @Override
  public final void attention(
      KvCache cache,
      int layer,
      Tensor qkv,
      int queryHeads,
      float scale,
      AttentionPlan plan,
      Tensor out) {
    Arguments.distinct(qkv, out);
    C from = ours.cache(cache, layer, plan);
    KvLayout kv = from.layout();
    T q = ours.tensor("qkv", qkv, plan.rows, Arguments.qkvColumns(kv, queryHeads));
    T to = ours.tensor("out", out, plan.rows, queryHeads * kv.headDim());
    if (plan.rows > 0) {
      attend(from, layer, q, queryHeads, scale, plan, to);
    }
  }

  /** See {@link #attention}; there is a row. */
  protected abstract void attend(
      C cache, int layer, T qkv, int queryHeads, float scale, AttentionPlan plan, T out);

  @Override
  public final void gather(Tensor in, int[] rows, int count, Tensor out) {
    Arguments.distinct(in, out);
    T from = ours.tensor("in", in, 0);
    gatherRows(from, rows, count, ours.tensor("out", out, count, from.columns()));
  }

  /** See {@link #gather}; {@code rows} are not checked. */
  protected abstract void gatherRows(T in, int[] rows, int count, T out);

  @Override
  public final void argmax(Tensor in, int rows, int[] indices) {
    T from = ours.tensor("in", in, rows);
    Arguments.room("index", indices, rows);
    if (rows > 0) {
      likeliest(from, rows, indices);
    }
  }

  /** See {@link #argmax}; there is a row. */
  protected abstract void likeliest(T in, int rows, int[] indices);
}
