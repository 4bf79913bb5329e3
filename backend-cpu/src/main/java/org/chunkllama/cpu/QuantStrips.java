package org.chunkllama.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.util.Arrays;
import org.chunkllama.spi.DType;

/**
 * Quantised weights repacked, still quantised: strips of as many outputs as a vector has lanes,
 * {@code [strips][groups][scale, offset, words...]}, each a vector with a lane per output ({@link
 * QuantForm} says what the numbers mean). Read from front to end by every product; no sum runs
 * across lanes. Lanes behind the last output are zero.
 */
final class QuantStrips implements PanelSource {
  private static final int LANES = VectorShape.LANES;

  private final QuantForm form;
  private final int outputs;
  private final int groups;
  private final long groupBytes;
  private final LargeMemory memory;

  private QuantStrips(QuantForm form, int outputs, int inputs) {
    this.form = form;
    this.outputs = outputs;
    this.groups = inputs / form.group();
    this.groupBytes = 4L * LANES * form.wordsPerGroup();
    this.memory = new LargeMemory(bytes());
  }

  /** Memory that outputs of this form take. */
  static long bytes(QuantForm form, int outputs, int inputs) {
    long strips = 2L * Math.ceilDiv(outputs, WIDTH);
    return strips * (inputs / form.group()) * 4L * LANES * form.wordsPerGroup();
  }

  /** Packs outputs [first, end) of a matrix, all of one form, on all workers. */
  static QuantStrips pack(CpuMatrix matrix, int first, int end, QuantForm form, Workers workers) {
    QuantStrips strips = new QuantStrips(form, end - first, matrix.inputs());
    Row[] scratch = new Row[workers.count()];
    workers.run(
        2 * strips.panels(),
        (strip, worker) -> {
          if (scratch[worker] == null) {
            scratch[worker] = new Row(matrix.inputs(), strips.groups);
          }
          strips.fill(matrix, first, strip, scratch[worker]);
        });
    return strips;
  }

  /** One output's weights, taken apart. */
  private static final class Row {
    final byte[] integers;
    final float[] scales;
    final float[] offsets;

    Row(int inputs, int groups) {
      integers = new byte[inputs];
      scales = new float[groups];
      offsets = new float[groups];
    }
  }

  private void fill(CpuMatrix matrix, int first, int strip, Row row) {
    for (int lane = 0; lane < LANES; lane++) {
      int output = strip * LANES + lane;
      if (output < outputs) {
        int part = matrix.partOf(first + output);
        DType type = matrix.part(part).type();
        long from = matrix.address(part, first + output);
        BlockUnpacker.unpack(type, from, matrix.inputs(), row.integers, row.scales, row.offsets);
      } else {
        Arrays.fill(row.scales, 0);
        Arrays.fill(row.offsets, 0);
      }
      lane(row, strip(strip) + 4L * lane);
    }
  }

  private void lane(Row row, long lane) {
    long at = lane;
    int k = 0;
    for (int g = 0; g < groups; g++) {
      NativeMemory.set(at, row.scales[g]);
      NativeMemory.set(at + 4L * LANES, row.offsets[g]);
      for (int j = 2; j < form.wordsPerGroup(); j++) {
        int word = 0;
        for (int shift = 0; shift < Integer.SIZE; shift += form.bits()) {
          word |= (row.integers[k++] & 255) << shift;
        }
        NativeMemory.ALL.set(JAVA_INT_UNALIGNED, at + 4L * LANES * j, word);
      }
      at += groupBytes;
    }
  }

  private long strip(int index) {
    return memory.address() + index * (groups * groupBytes);
  }

  /** {@code sums[0, WIDTH) = panel . x}, for a single row. */
  void multiply(int panel, float[] x, float[] sums) {
    for (int half = 0; half < 2; half++) {
      long strip = strip(2 * panel + half);
      if (form.bits() == 4) {
        Nibbles.multiply(strip, groups, form.group(), x, sums, half * LANES);
      } else {
        Octets.multiply(strip, groups, form.group(), x, sums, half * LANES);
      }
    }
  }

  @Override
  public long panel(int index, int from, int count, long scratch) {
    for (int half = 0; half < 2; half++) {
      long at = strip(2 * index + half) + from / form.group() * groupBytes;
      long to = scratch + 4L * LANES * half;
      if (form.bits() == 4) {
        Nibbles.decode(at, count / form.group(), form.group(), to, 4L * WIDTH);
      } else {
        Octets.decode(at, count / form.group(), form.group(), to, 4L * WIDTH);
      }
    }
    return scratch;
  }

  @Override
  public int outputs() {
    return outputs;
  }

  @Override
  public long bytes() {
    return 2L * panels() * groups * groupBytes;
  }

  @Override
  public void close() {
    memory.close();
  }
}
