package org.chunkllama.spi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.IntStream;

/**
 * A weight of random numbers, to measure speed without a file: uniform, with a spread that keeps
 * sums over a row near one. The same on every backend, bit for bit: each value is computed from
 * seed and place alone and rounded to bf16.
 *
 * @param name for messages
 * @param rows outputs
 * @param columns inputs
 * @param seed of this weight
 */
public record RandomWeight(String name, int rows, int columns, long seed) {
  private static final long STEP = 0x9e3779b97f4a7c15L;
  private static final int CENTRE = 1 << 23;

  /** A weight whose seed follows from its name. */
  public static RandomWeight named(String name, int rows, int columns, long seed) {
    return new RandomWeight(name, rows, columns, mix(seed + STEP * name.hashCode()));
  }

  /** Values lie between this and its negative. */
  public float spread() {
    return (float) Math.sqrt(3.0 / columns);
  }

  /** Value {@code index}, row-major, as the bits of a bf16. */
  public short bits(long index) {
    int random = (int) (mix(seed + STEP * index) >>> 40);
    int bits = Float.floatToRawIntBits((random - CENTRE) * 0x1p-23f * spread());
    return (short) ((bits + 0x7fff + (bits >>> 16 & 1)) >>> 16); // to nearest, ties to even
  }

  /** The final steps of splitmix64. */
  private static long mix(long x) {
    long a = (x ^ x >>> 30) * 0xbf58476d1ce4e5b9L;
    long b = (a ^ a >>> 27) * 0x94d049bb133111ebL;
    return b ^ b >>> 31;
  }

  /** All values in the machine's memory, which goes when nobody uses the tensor any more. */
  public WeightTensor tensor() {
    long bytes = (long) rows * columns * Short.BYTES;
    MemorySegment data = Arena.ofAuto().allocate(bytes, 64);
    IntStream.range(0, rows)
        .parallel()
        .forEach(row -> {
          long first = (long) row * columns;
          for (int i = 0; i < columns; i++) {
            data.setAtIndex(ValueLayout.JAVA_SHORT, first + i, bits(first + i));
          }
        });
    return new WeightTensor(name, DType.BF16, rows, columns, data);
  }
}
