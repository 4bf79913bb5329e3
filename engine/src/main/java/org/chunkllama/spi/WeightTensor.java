package org.chunkllama.spi;

import java.lang.foreign.MemorySegment;

/**
 * A weight as it lies in its file, memory-mapped: {@code rows} x {@code columns}, row-major,
 * little-endian.
 *
 * <p>For a linear layer a row is one output and a column one input. A vector has one row.
 *
 * @param name the tensor's name in its file, for messages
 * @param type how the values are stored
 * @param rows outputs
 * @param columns inputs; a multiple of the type's block
 * @param data exactly {@code type.bytes(rows * columns)} bytes; valid while the model file is open
 */
public record WeightTensor(String name, DType type, int rows, int columns, MemorySegment data) {
  public WeightTensor {
    if (rows < 1 || columns < 1) {
      throw new IllegalArgumentException(name + ": shape " + rows + " x " + columns);
    }
    long bytes = Math.multiplyExact((long) rows, type.bytes(columns));
    if (data.byteSize() != bytes) {
      throw new IllegalArgumentException(
          name + ": " + data.byteSize() + " bytes given, " + bytes + " needed");
    }
  }
}
