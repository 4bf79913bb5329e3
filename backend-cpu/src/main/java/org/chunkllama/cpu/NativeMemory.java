package org.chunkllama.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Loads and stores at addresses, for kernels: no liveness or bounds check per access. Whoever calls
 * a kernel checks shapes and that the memory is open, once.
 */
final class NativeMemory {
  /** All memory; offset = address. A constant, so that the compiler folds its checks. */
  static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  /**
   * The compiler knows that {@code (base & MASK) + (offset & MASK)} lies inside {@link #ALL}, so
   * the check of such an access folds away when it is parsed. Without the masks, a loop with many
   * pointers sets up a range predicate for each, at a cost of hundreds of instructions per call.
   */
  static final long MASK = (1L << 56) - 1;

  /** For scalar access in kernels: unaligned, because that has no check of alignment. */
  static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private NativeMemory() {}

  static FloatVector load(long address) {
    return FloatVector.fromMemorySegment(VectorShape.FLOATS, ALL, address, ORDER);
  }

  static IntVector ints(long address) {
    return IntVector.fromMemorySegment(VectorShape.INTS, ALL, address, ORDER);
  }

  static void store(FloatVector value, long address) {
    value.intoMemorySegment(ALL, address, ORDER);
  }

  static float get(long address) {
    return ALL.get(JAVA_FLOAT_UNALIGNED, address);
  }

  static void set(long address, float value) {
    ALL.set(JAVA_FLOAT_UNALIGNED, address, value);
  }

  /** The IEEE half at {@code address}, as a float. */
  static float half(long address) {
    return Float.float16ToFloat(ALL.get(JAVA_SHORT_UNALIGNED, address));
  }

  /** The bfloat16 at {@code address}, as a float. */
  static float bfloat(long address) {
    return Float.intBitsToFloat(ALL.get(JAVA_SHORT_UNALIGNED, address) << 16);
  }
}
