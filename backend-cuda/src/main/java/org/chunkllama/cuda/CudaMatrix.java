package org.chunkllama.cuda;

import java.util.List;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.MatrixProduct;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.Matrix;
import org.jspecify.annotations.Nullable;

/**
 * A weight in the type of the products, row-major, rows padded with zeros to a multiple of 8; or
 * one that stays quantised, in sections of one type each.
 */
final class CudaMatrix implements Matrix {
  /**
   * Rows in the tiles of {@code quantised_tiles.cuh}.
   *
   * @param type of the section
   * @param first output
   * @param outputs of the section
   * @param offset bytes to its tiles
   */
  record Section(DType type, int first, int outputs, long offset) {}

  private final int outputs;
  private final int inputs;
  private final DeviceMemory memory;
  private final List<Section> sections;

  /** The product that ran last: most often the next one too. */
  @Nullable MatrixProduct lastProduct;

  int lastRows;
  boolean lastAdd;

  /** {@code sections}: none if the weight is wide. */
  CudaMatrix(int outputs, int inputs, DeviceMemory memory, List<Section> sections) {
    this.outputs = outputs;
    this.inputs = inputs;
    this.memory = memory;
    this.sections = List.copyOf(sections);
  }

  boolean isQuantised() {
    return !sections.isEmpty();
  }

  /** Of a weight that stays quantised. */
  List<Section> sections() {
    return sections;
  }

  /** Values from one row to the next, also of 16-bit twins, which are multiplied with weights. */
  static int stride(int inputs) {
    return (inputs + 7) / 8 * 8;
  }

  @Override
  public int outputs() {
    return outputs;
  }

  @Override
  public int inputs() {
    return inputs;
  }

  @Override
  public long bytes() {
    return memory.bytes();
  }

  DeviceMemory memory() {
    return memory;
  }
}
