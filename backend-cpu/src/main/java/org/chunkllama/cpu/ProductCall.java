package org.chunkllama.cpu;

import jdk.incubator.vector.FloatVector;
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

  /** Writes or adds {@code count} values from {@code values[at]} on. */
  void putRow(int row, int output, float[] values, int at, int count) {
    write(row, output, values, at, count, bias == 0 ? 0 : bias + 4L * output, add);
  }

  /** Adds {@code count} values to those written before. */
  void addRow(int row, int output, float[] values, int at, int count) {
    write(row, output, values, at, count, 0, true);
  }

  private void write(
      int row, int output, float[] values, int at, int count, long bias, boolean add) {
    long to = (out & NativeMemory.MASK) + row * outRowBytes + 4L * output;
    int i = 0;
    for (; i <= count - VectorShape.LANES; i += VectorShape.LANES) {
      FloatVector value = FloatVector.fromArray(VectorShape.FLOATS, values, at + i);
      if (bias != 0) {
        value = value.add(NativeMemory.load(bias + 4L * i));
      }
      if (add) {
        value = value.add(NativeMemory.load(to + 4L * i));
      }
      NativeMemory.store(value, to + 4L * i);
    }
    for (; i < count; i++) {
      float value = bias == 0 ? values[at + i] : values[at + i] + NativeMemory.get(bias + 4L * i);
      NativeMemory.set(to + 4L * i, add ? value + NativeMemory.get(to + 4L * i) : value);
    }
  }
}
