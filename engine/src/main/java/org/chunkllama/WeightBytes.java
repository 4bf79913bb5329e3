package org.chunkllama;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.chunkllama.files.TensorInfo;
import org.chunkllama.spi.DType;

/**
 * What weights take on a device: two bytes a value, four where products are exact; less if they
 * stay quantised, and room to dequantise the largest of those.
 */
final class WeightBytes {
  /** Parts that become one matrix, which stays quantised only if all of them do. */
  private static final Pattern STACKED =
      Pattern.compile("attn_[qkv]\\.weight|ffn_(gate|up)\\.weight");

  private static final String QKV = "qkv";
  private static final String GATE_UP = "gate and up";

  /** Bytes of a tensor that stays quantised; empty if it does not. */
  @FunctionalInterface
  interface Kept {
    OptionalLong bytes(DType type, long values);
  }

  private final Kept kept;
  private final int wide;
  private long bytes;
  private long largest; // values of a matrix that stays quantised

  private WeightBytes(Kept kept, int wide) {
    this.kept = kept;
    this.wide = wide;
  }

  /**
   * All of a model's.
   *
   * @param exact if products are computed in fp32
   */
  static long of(Iterable<TensorInfo> tensors, boolean exact, Kept kept) {
    Map<String, List<TensorInfo>> matrices = new LinkedHashMap<>();
    for (TensorInfo tensor : tensors) {
      matrices.merge(matrix(tensor.name()), List.of(tensor), WeightBytes::joined);
    }
    WeightBytes sum = new WeightBytes(kept, exact ? Float.BYTES : Short.BYTES);
    matrices.values().forEach(sum::add);
    return sum.bytes + Short.BYTES * sum.largest;
  }

  private static String matrix(String name) {
    return STACKED.matcher(name).replaceAll(part -> part.group(1) == null ? QKV : GATE_UP);
  }

  private static List<TensorInfo> joined(List<TensorInfo> some, List<TensorInfo> more) {
    return Stream.concat(some.stream(), more.stream()).toList();
  }

  private void add(List<TensorInfo> parts) {
    long values = 0;
    long quantised = 0;
    boolean all = true;
    for (TensorInfo part : parts) {
      long own = part.shape().stream().reduce(1L, Math::multiplyExact);
      OptionalLong ownKept = kept.bytes(part.type(), own);
      values += own;
      quantised += ownKept.orElse(0);
      all &= ownKept.isPresent();
    }
    bytes += all ? quantised : values * wide;
    largest = all ? Math.max(largest, values) : largest;
  }
}
