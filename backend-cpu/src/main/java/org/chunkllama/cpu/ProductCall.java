package org.chunkllama.cpu;

import org.jspecify.annotations.Nullable;

/** Arguments of one product as kernels want them; written by the caller's thread between jobs. */
final class ProductCall {
  int outputs;
  int inputs;
  int rows;
  long in;
  long inRowBytes;
  long out;
  long outRowBytes;
  long bias; // 0 if none
  boolean add;

  void set(
      CpuMatrix w, @Nullable CpuTensor bias, CpuTensor in, int rows, CpuTensor out, boolean add) {
    this.outputs = w.outputs();
    this.inputs = w.inputs();
    this.rows = rows;
    this.in = in.address();
    this.inRowBytes = in.rowBytes();
    this.out = out.address();
    this.outRowBytes = out.rowBytes();
    this.bias = bias == null ? 0 : bias.address();
    this.add = add;
  }

  /** Writes or adds one value. */
  void put(int row, int output, float value) {
    long at = out + row * outRowBytes + 4L * output;
    float sum = bias == 0 ? value : value + NativeMemory.get(bias + 4L * output);
    NativeMemory.set(at, add ? NativeMemory.get(at) + sum : sum);
  }
}
