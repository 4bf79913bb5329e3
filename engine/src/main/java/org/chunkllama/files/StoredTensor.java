package org.chunkllama.files;

import java.lang.foreign.MemorySegment;
import org.chunkllama.spi.DType;

/**
 * A tensor as it lies in a file, checked against the file's size.
 *
 * @param name as the file calls it
 * @param shape rows first; extents of at least 1
 * @param data {@code type.bytes(product of shape)} bytes
 */
record StoredTensor(String name, DType type, long[] shape, MemorySegment data) {
  long values() {
    long values = 1;
    for (long extent : shape) {
      values *= extent;
    }
    return values;
  }
}
