package org.chunkllama.model;

import java.util.ArrayDeque;
import java.util.Deque;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.Tensor;

/**
 * The forward pass's intermediate values, allocated once for the largest step. Only logits, far the
 * widest, grow with the number of output rows seen.
 */
final class Activations implements AutoCloseable {
  final int rows;
  final Tensor hidden; // [rows][hidden]: the residual stream
  final Tensor normed; // [rows][hidden]
  final Tensor qkv; // [rows][(heads + 2 kvHeads) * headDim]
  final Tensor attended; // [rows][heads * headDim]
  final Tensor gateUp; // [rows][2 * feedForward]
  final Tensor gated; // [rows][feedForward]

  private final Backend backend;
  private final ModelConfig config;
  private Outputs outputs;

  /** What only rows with logits need: {@code [size][hidden]}, of attention, of the vocabulary. */
  private record Outputs(Tensor hidden, Tensor attended, Tensor logits) {
    /** All three, or none if there is no room. */
    static Outputs of(Backend backend, ModelConfig config, int size) {
      Deque<Tensor> made = new ArrayDeque<>();
      try {
        made.add(backend.tensor(size, config.hidden()));
        made.add(backend.tensor(size, config.heads() * config.headDim()));
        made.add(backend.tensor(size, config.vocabulary()));
        return new Outputs(made.remove(), made.remove(), made.remove());
      } finally {
        made.forEach(Tensor::close);
      }
    }

    void close() {
      hidden.close();
      attended.close();
      logits.close();
    }
  }

  Activations(Backend backend, ModelConfig config, int rows) {
    this.backend = backend;
    this.config = config;
    this.rows = rows;
    int headDim = config.headDim();
    hidden = backend.tensor(rows, config.hidden());
    normed = backend.tensor(rows, config.hidden());
    qkv = backend.tensor(rows, (config.heads() + 2 * config.kvHeads()) * headDim);
    attended = backend.tensor(rows, config.heads() * headDim);
    gateUp = backend.tensor(rows, 2 * config.feedForward());
    gated = backend.tensor(rows, config.feedForward());
    outputs = Outputs.of(backend, config, Math.min(rows, 8));
  }

  /**
   * Bytes they take on a device, about: values in fp32, and in 16 bits where products read those.
   *
   * @param rows of a step
   * @param outputs rows of logits
   */
  static long bytes(ModelConfig config, int rows, int outputs) {
    long heads = (long) (2 * config.heads() + 2 * config.kvHeads()) * config.headDim();
    long columns = 2L * config.hidden() + heads + 3L * config.feedForward();
    long logits = (long) config.vocabulary() * Float.BYTES * outputs;
    return rows * columns * (Float.BYTES + Short.BYTES) + logits;
  }

  Tensor outputHidden() {
    return outputs.hidden;
  }

  Tensor outputAttended() {
    return outputs.attended;
  }

  Tensor logits() {
    return outputs.logits;
  }

  /** Makes room for {@code count} rows of logits; what there is stays if there is none. */
  void ensureOutputs(int count) {
    int now = outputs.logits.rows();
    if (count > now) {
      Outputs wider = Outputs.of(backend, config, Math.min(rows, Math.max(count, 2 * now)));
      outputs.close();
      outputs = wider;
    }
  }

  @Override
  public void close() {
    hidden.close();
    normed.close();
    qkv.close();
    attended.close();
    gateUp.close();
    gated.close();
    outputs.close();
  }
}
