package org.chunkllama.cuda;

import org.chunkllama.cuda.driver.CudaModule;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.Kernel;
import org.chunkllama.spi.RotaryTable;

/** Launches of everything that works row by row. Arguments are checked by the caller. */
final class RowKernels implements AutoCloseable {
  static final int THREADS = 256;
  private static final int NORM_VALUES = 16; // that a thread of a norm keeps; norm.cu's KEPT

  private final CudaDevice device;
  private final QuantisedRows quantised;
  private final Kernel rmsNorm;
  private final Kernel headNorm;
  private final Kernel siluGate;
  private final Kernel rotary;
  private final Kernel embed;
  private final Kernel gather;

  /** Rotary tables on the device. */
  final RotaryTables rotaryTables;

  RowKernels(CudaDevice device, QuantisedRows quantised) {
    this.device = device;
    this.quantised = quantised;
    String type = device.productConstant();
    CudaModule norm = device.kernels.module("norm.cu", type);
    rmsNorm = norm.kernel("rms_norm", 7);
    headNorm = norm.kernel("head_norm", 8);
    siluGate = device.kernels.module("silu_gate.cu", type).kernel("silu_gate", 5);
    rotary = device.kernels.module("rotary.cu").kernel("rotary", 15);
    CudaModule rows = device.kernels.module("rows.cu", type);
    embed = rows.kernel("embed", 5);
    gather = rows.kernel("gather", 4);
    rotaryTables = new RotaryTables(device);
  }

  /** Blocks of {@link #THREADS} for so many values. */
  static int blocks(int values) {
    return (values + THREADS - 1) / THREADS;
  }

  /** Blocks for threads of four columns each, or of one where those are not aligned. */
  static int fours(int columns) {
    return columns % 4 == 0 ? blocks(columns / 4) : blocks(columns);
  }

  void embed(CudaMatrix table, DeviceMemory tokens, int count, CudaTensor out) {
    if (table.isQuantised()) {
      quantised.embed(table, tokens, count, out);
      return;
    }
    embed
        .call()
        .with(table.memory())
        .with(CudaMatrix.stride(table.inputs()))
        .with(tokens)
        .with(table.inputs())
        .with(out.memoryToWrite())
        .launchEarly(device.stream, fours(table.inputs()), count, THREADS, 0);
  }

  void rmsNorm(CudaTensor in, int rows, CudaTensor weight, float epsilon, CudaTensor out) {
    DeviceMemory twin = out.twinToWriteAlone(rows);
    rmsNorm
        .call()
        .with(in.memory())
        .with(weight.memory())
        .with(epsilon)
        .with(in.columns())
        .with(twin == null ? out.memoryToWrite() : null)
        .with(twin)
        .with(out.twinStride())
        .launchEarly(device.stream, rows, 1, normThreads(in.columns()), 0);
  }

  /** As few as keep a row in registers: more of them only wait longer for each other. */
  private static int normThreads(int columns) {
    return columns <= THREADS * NORM_VALUES
        ? THREADS
        : columns <= 2 * THREADS * NORM_VALUES ? 2 * THREADS : 4 * THREADS;
  }

  void headNorm(
      CudaTensor x, int rows, int firstColumn, int heads, CudaTensor weight, float epsilon) {
    int warps = THREADS / 32;
    headNorm
        .call()
        .with(x.memoryToWrite())
        .with(rows)
        .with(x.columns())
        .with(firstColumn)
        .with(heads)
        .with(weight.columns())
        .with(weight.memory())
        .with(epsilon)
        .launchEarly(device.stream, (rows * heads + warps - 1) / warps, 1, THREADS, 0);
  }

  void siluGate(CudaTensor in, int rows, CudaTensor out) {
    DeviceMemory twin = out.twinToWriteAlone(rows);
    siluGate
        .call()
        .with(in.memory())
        .with(out.columns())
        .with(twin == null ? out.memoryToWrite() : null)
        .with(twin)
        .with(out.twinStride())
        .launchEarly(device.stream, fours(out.columns()), rows, THREADS, 0);
  }

  void rotary(
      CudaTensor x,
      int rows,
      int firstColumn,
      int heads,
      int headDim,
      RotaryTable table,
      DeviceMemory positions) {
    RotaryTables.OnDevice tables = rotaryTables.of(table);
    int half = table.rotatedDim() / 2;
    QueryTwin queries = firstColumn == 0 ? x.queriesToWrite(heads * headDim) : null;
    rotary
        .call()
        .with(x.memoryToWrite())
        .with(rows)
        .with(x.columns())
        .with(firstColumn)
        .with(heads)
        .with(headDim)
        .with(tables.memory())
        .with(tables.memory(), tables.sinesOffset())
        .with(half)
        .with(tables.interleaved() ? 1 : 0)
        .with(positions)
        .with(queries == null ? null : queries.memory())
        .with(queries == null ? 0 : queries.columns())
        .with(queries == null ? 0 : queries.stride())
        .with(queries == null ? 0 : queries.type().number())
        .launchEarly(device.stream, blocks(heads * half), rows, THREADS, 0);
    if (queries != null && heads * half > 0) { // else nothing was launched
      x.setQueriesCurrent(rows);
    }
  }

  void gather(CudaTensor in, DeviceMemory rows, int count, CudaTensor out) {
    gather
        .call()
        .with(in.memory())
        .with(rows)
        .with(in.columns())
        .with(out.memoryToWrite())
        .launchEarly(device.stream, fours(in.columns()), count, THREADS, 0);
  }

  @Override
  public void close() {
    rotaryTables.close();
  }
}
