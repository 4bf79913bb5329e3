package org.chunkllama.cpu;

import org.jspecify.annotations.Nullable;

/**
 * Products in bf16 by oneDNN, sums in fp32. Activations are rounded to bf16 once per product; a
 * task is a slice of outputs times a block of rows, each one native call on one thread.
 */
final class OneDnnProduct implements MatrixProduct, Workers.Task, AutoCloseable {
  private final Workers workers;
  private final RowSplit rounding;
  private final RowSplit biasing;
  private final ProductCall call = new ProductCall();
  private @Nullable LargeMemory activations; // [rows][inputs] bf16
  private long activationBytes;
  private @Nullable OneDnnWeights weights;
  private boolean add;

  OneDnnProduct(Workers workers) {
    this.workers = workers;
    this.rounding = new Rounding(workers);
    this.biasing = new Biasing(workers);
  }

  /** {@code w} must have bf16 weights. */
  @Override
  public void multiply(
      CpuMatrix w, @Nullable CpuTensor bias, CpuTensor in, int rows, CpuTensor out, boolean add) {
    OneDnnWeights packed = w.bf16();
    if (packed == null) {
      throw new IllegalStateException("the matrix has no bf16 copy");
    }
    weights = packed;
    call.set(w, bias, in, rows, out, add);
    ensureActivations(2L * rows * call.inputs);
    rounding.split(rows, call.inputs);
    this.add = add || bias != null;
    if (bias != null) {
      biasing.split(rows, call.outputs);
    }
    packed.prepare(rows, out.stride(), this.add);
    workers.run(packed.slices() * Math.ceilDiv(rows, OneDnnWeights.ROWS_MAX), this);
  }

  private void ensureActivations(long bytes) {
    if (activations != null && activationBytes >= bytes) {
      return;
    }
    close();
    activations = new LargeMemory(bytes);
    activationBytes = bytes;
  }

  private long activation(int row) {
    LargeMemory memory = activations;
    if (memory == null) {
      throw new IllegalStateException("no activations");
    }
    return memory.address() + 2L * row * call.inputs;
  }

  @Override
  public void run(int index, int worker) {
    OneDnnWeights packed = weights;
    if (packed == null) {
      throw new IllegalStateException("no product");
    }
    int slice = index % packed.slices();
    int row = index / packed.slices() * OneDnnWeights.ROWS_MAX;
    int end = Math.min(call.rows, row + OneDnnWeights.ROWS_MAX);
    while (row < end) {
      int step = OneDnnWeights.step(end - row);
      long to = call.out + row * call.outRowBytes + 4L * packed.first(slice);
      packed.product(slice, step, add).execute(worker, activation(row), packed.data(slice), to);
      row += step;
    }
  }

  @Override
  public void close() {
    if (activations != null) {
      activations.close();
      activations = null;
    }
  }

  /** Input rows to bf16. */
  private final class Rounding extends RowSplit {
    Rounding(Workers workers) {
      super(workers);
    }

    @Override
    void rows(int first, int end) {
      for (int row = first; row < end; row++) {
        Narrow.bfloats(call.in + row * call.inRowBytes, call.inputs, activation(row));
      }
    }
  }

  /** The bias to the output, or added to it; the product is then added. */
  private final class Biasing extends RowSplit {
    Biasing(Workers workers) {
      super(workers);
    }

    @Override
    void rows(int first, int end) {
      for (int row = first; row < end; row++) {
        long to = call.out + row * call.outRowBytes;
        for (int i = 0; i < call.outputs; i++) {
          float value = NativeMemory.get(call.bias + 4L * i);
          NativeMemory.set(to + 4L * i, call.add ? value + NativeMemory.get(to + 4L * i) : value);
        }
      }
    }
  }
}
