package org.chunkllama.model;

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
  private Tensor outputHidden; // [outputs][hidden]
  private Tensor outputAttended; // [outputs][heads * headDim]
  private Tensor logits; // [outputs][vocabulary]

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
    int outputs = Math.min(rows, 8);
    outputHidden = backend.tensor(outputs, config.hidden());
    outputAttended = backend.tensor(outputs, config.heads() * headDim);
    logits = backend.tensor(outputs, config.vocabulary());
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
    return outputHidden;
  }

  Tensor outputAttended() {
    return outputAttended;
  }

  Tensor logits() {
    return logits;
  }

  /** Makes room for {@code outputs} rows of logits. */
  void ensureOutputs(int outputs) {
    if (outputs <= logits.rows()) {
      return;
    }
    int size = Math.min(rows, Math.max(outputs, 2 * logits.rows()));
    closeOutputs();
    outputHidden = backend.tensor(size, config.hidden());
    outputAttended = backend.tensor(size, config.heads() * config.headDim());
    logits = backend.tensor(size, config.vocabulary());
  }

  private void closeOutputs() {
    outputHidden.close();
    outputAttended.close();
    logits.close();
  }

  @Override
  public void close() {
    hidden.close();
    normed.close();
    qkv.close();
    attended.close();
    gateUp.close();
    gated.close();
    closeOutputs();
  }
}
