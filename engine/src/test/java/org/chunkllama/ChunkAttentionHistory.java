package org.chunkllama;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import org.chunkllama.error.PoolExhaustedException;
import org.chunkllama.spi.DType;

/**
 * Random calls on a {@link ChunkAttention}, each answer compared with attention in double precision
 * over plain lists of tokens. K and V of a token are a function of the tokens up to it.
 */
final class ChunkAttentionHistory {
  private static final int LONGEST = 90;

  private final ChunkAttention attention;
  private final ChunkAttentionOptions options;
  private final SplittableRandom random;
  private final Map<Long, int[]> model = new LinkedHashMap<>();
  private final Map<Long, float[]> vectors = new HashMap<>();
  private final int kvColumns;
  private final int queryColumns;

  ChunkAttentionHistory(
      ChunkAttention attention, ChunkAttentionOptions options, SplittableRandom random) {
    this.attention = attention;
    this.options = options;
    this.random = random;
    this.kvColumns = options.kvHeads() * options.headDim();
    this.queryColumns = options.queryHeads() * options.headDim();
  }

  /** Makes so many calls; returns how many found the pool full. */
  int run(int calls) {
    int refused = 0;
    for (int i = 0; i < calls; i++) {
      try {
        call();
      } catch (PoolExhaustedException e) {
        refused++;
        attention.remove(anyId());
        model.keySet().retainAll(Arrays.stream(attention.ids()).boxed().toList());
      }
      assertThat(attention.ids()).isEqualTo(ids());
    }
    return refused;
  }

  private void call() {
    switch (model.isEmpty() ? 0 : random.nextInt(12)) {
      case 0, 1 -> add();
      case 2 -> fork();
      case 3 -> remove();
      case 4, 5, 6, 7, 8 -> append();
      case 9 -> attendFrom();
      default -> attend();
    }
  }

  private long[] ids() {
    return model.keySet().stream().mapToLong(Long::longValue).toArray();
  }

  private long anyId() {
    long[] ids = ids();
    return ids[random.nextInt(ids.length)];
  }

  private int[] tokens(long id) {
    return Objects.requireNonNull(model.get(id));
  }

  private long[] someIds() {
    List<Long> ids = new ArrayList<>(model.keySet());
    while (ids.size() > 1 && random.nextInt(4) > 0) {
      ids.remove(random.nextInt(ids.size()));
    }
    for (int i = ids.size() - 1; i > 0; i--) {
      Collections.swap(ids, i, random.nextInt(i + 1));
    }
    return ids.stream().mapToLong(Long::longValue).toArray();
  }

  /** Begins as one of three prompts or as a sequence that is there, then goes its own way. */
  private int[] prompt() {
    int[] begin =
        model.isEmpty() || random.nextBoolean() ? stem(random.nextInt(3)) : tokens(anyId());
    int kept = random.nextInt(begin.length + 1);
    int[] tokens = Arrays.copyOf(begin, Math.max(1, Math.min(LONGEST, kept + random.nextInt(30))));
    for (int i = kept; i < tokens.length; i++) {
      tokens[i] = random.nextInt(3);
    }
    return tokens;
  }

  private static int[] stem(int number) {
    int[] tokens = new int[40];
    for (int i = 10 * number; i < tokens.length; i++) {
      tokens[i] = number;
    }
    return tokens;
  }

  private void add() {
    int[] tokens = prompt();
    int matched = attention.match(tokens);
    int first = random.nextBoolean() ? 0 : random.nextInt(matched + 1);
    float[] k = new float[(tokens.length - first) * kvColumns];
    float[] v = new float[k.length];
    for (int i = first; i < tokens.length; i++) {
      System.arraycopy(kv(tokens, i, false), 0, k, (i - first) * kvColumns, kvColumns);
      System.arraycopy(kv(tokens, i, true), 0, v, (i - first) * kvColumns, kvColumns);
    }
    long id =
        first == 0
            ? attention.add(tokens, k, v)
            : attention.add(tokens, first, MemorySegment.ofArray(k), MemorySegment.ofArray(v));
    assertThat(attention.reused(id)).isBetween(first, matched);
    assertThat(model.put(id, tokens)).as("an id used again").isNull();
  }

  private void fork() {
    long id = anyId();
    model.put(attention.fork(id), tokens(id));
  }

  private void remove() {
    long id = anyId();
    attention.remove(id);
    model.remove(id);
  }

  private void append() {
    long[] ids = someIds();
    int[] tokens = new int[ids.length];
    float[] k = new float[ids.length * kvColumns];
    float[] v = new float[k.length];
    Map<Long, int[]> longer = new LinkedHashMap<>();
    for (int i = 0; i < ids.length; i++) {
      int[] before = tokens(ids[i]);
      tokens[i] = random.nextInt(3);
      int[] after = Arrays.copyOf(before, before.length + 1);
      after[before.length] = tokens[i];
      System.arraycopy(kv(after, before.length, false), 0, k, i * kvColumns, kvColumns);
      System.arraycopy(kv(after, before.length, true), 0, v, i * kvColumns, kvColumns);
      longer.put(ids[i], after);
    }
    attention.append(ids, tokens, k, v);
    model.putAll(longer);
  }

  private float[] kv(int[] tokens, int position, boolean value) {
    int hash = Arrays.hashCode(Arrays.copyOf(tokens, position + 1));
    return vectors.computeIfAbsent(
        2L * hash + (value ? 1 : 0), seed -> gaussian(new SplittableRandom(seed), kvColumns));
  }

  private static float[] gaussian(SplittableRandom random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private void attend() {
    boolean all = random.nextInt(3) == 0;
    long[] ids = all ? ids() : someIds();
    float[] q = gaussian(random, ids.length * queryColumns);
    float[] out = new float[q.length];
    if (all) {
      attention.attend(q, out);
    } else {
      attention.attend(ids, q, out);
    }
    for (int i = 0; i < ids.length; i++) {
      int[] tokens = tokens(ids[i]);
      compare(tokens, tokens.length, q, out, i);
    }
  }

  private void attendFrom() {
    long id = anyId();
    int[] tokens = tokens(id);
    int first = random.nextInt(tokens.length);
    float[] q = gaussian(random, (tokens.length - first) * queryColumns);
    float[] out = new float[q.length];
    attention.attendFrom(id, first, q, out);
    for (int i = 0; i < tokens.length - first; i++) {
      compare(tokens, first + i + 1, q, out, i);
    }
  }

  private void compare(int[] tokens, int seen, float[] q, float[] out, int index) {
    int d = options.headDim();
    float[][] k = new float[seen][];
    float[][] v = new float[seen][];
    for (int t = 0; t < seen; t++) {
      k[t] = stored(kv(tokens, t, false));
      v[t] = stored(kv(tokens, t, true));
    }
    for (int head = 0; head < options.queryHeads(); head++) {
      int at = index * queryColumns + head * d;
      int kvHead = head / (options.queryHeads() / options.kvHeads());
      double[] weight = new double[seen];
      double sum = 0;
      for (int t = 0; t < seen; t++) {
        double score = 0;
        for (int i = 0; i < d; i++) {
          score += (double) q[at + i] * k[t][kvHead * d + i];
        }
        weight[t] = Math.exp(score * options.scale());
        sum += weight[t];
      }
      for (int i = 0; i < d; i++) {
        double expected = 0;
        for (int t = 0; t < seen; t++) {
          expected += weight[t] / sum * v[t][kvHead * d + i];
        }
        if (!(Math.abs(out[at + i] - expected) <= 1e-5)) {
          throw new AssertionError(
              "%d tokens, head %d: %s, expected %s".formatted(seen, head, out[at + i], expected));
        }
      }
    }
  }

  private float[] stored(float[] given) {
    float[] values = given.clone();
    for (int i = 0; i < values.length; i++) {
      if (options.kvType() == DType.F16) {
        values[i] = Float.float16ToFloat(Float.floatToFloat16(values[i]));
      } else if (options.kvType() == DType.BF16) {
        int bits = Float.floatToRawIntBits(values[i]);
        int rounded = Math.addExact(bits, 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000;
        values[i] = Float.intBitsToFloat(rounded);
      }
    }
    return values;
  }
}
