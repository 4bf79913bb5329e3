package org.chunkllama.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.chunkllama.ChunkAttention;
import org.chunkllama.ChunkAttentionOptions;
import org.chunkllama.spi.DType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The operator alone, {@link ChunkAttention}, on the backend: prompts, decoding, forks. */
public abstract class ChunkAttentionContract extends BackendContract {
  private static final int QUERY_HEADS = 6;
  private static final int KV_HEADS = 2;
  private static final int HEAD_DIM = 64;

  /** For the test of a backend. */
  protected ChunkAttentionContract() {}

  /** What the operator should hold for one sequence: K and V by position, as stored. */
  private record Expected(long id, List<float[]> k, List<float[]> v) {}

  @ParameterizedTest
  @CsvSource({
    "F32,16,true",
    "F32,64,false",
    "BF16,32,true",
    "F16,64,true",
    "F8,32,true",
    "I8,64,true"
  })
  void promptsAndDecoding(DType type, int chunkTokens, boolean sharing) {
    if (isRefused(type)) {
      return;
    }
    ChunkAttentionOptions options =
        ChunkAttentionOptions.of(QUERY_HEADS, KV_HEADS, HEAD_DIM)
            .withKvType(type)
            .withChunkTokens(chunkTokens)
            .withPoolBytes(16 << 20)
            .withBackend(backend().name())
            .withSharing(sharing);
    SplittableRandom random = new SplittableRandom(chunkTokens);
    try (ChunkAttention attention = ChunkAttention.open(options)) {
      List<Expected> sequences = new ArrayList<>();
      for (int i = 0; i < 7; i++) {
        sequences.add(add(attention, type, 150 + 9 * i, i));
      }
      for (int step = 0; step < 20; step++) {
        if (step == 8) {
          sequences.add(fork(attention, sequences.get(3)));
          attention.remove(sequences.remove(1).id);
        }
        append(attention, sequences, type, random);
        check(attention, sequences, random, type);
      }
      assertThat(attention.stats().tokensReused() > 0).isEqualTo(sharing);
    }
  }

  /** Tokens 0 .. count - 1, of which the first 140 are the same in all sequences. */
  private static Expected add(ChunkAttention attention, DType type, int count, int number) {
    int[] tokens = new int[count];
    float[] k = new float[count * KV_HEADS * HEAD_DIM];
    float[] v = new float[k.length];
    Expected expected = new Expected(0, new ArrayList<>(), new ArrayList<>());
    for (int i = 0; i < count; i++) {
      tokens[i] = i < 140 ? i : 1000 * number + i;
      SplittableRandom random = new SplittableRandom(tokens[i]);
      put(k, i, Numbers.gaussian(random, KV_HEADS * HEAD_DIM), expected.k, type);
      put(v, i, Numbers.gaussian(random, KV_HEADS * HEAD_DIM), expected.v, type);
    }
    return new Expected(attention.add(tokens, k, v), expected.k, expected.v);
  }

  private static void put(float[] all, int index, float[] one, List<float[]> stored, DType type) {
    System.arraycopy(one, 0, all, index * one.length, one.length);
    stored.add(Numbers.rounded(one, type, HEAD_DIM));
  }

  private static Expected fork(ChunkAttention attention, Expected from) {
    long id = attention.fork(from.id);
    return new Expected(id, new ArrayList<>(from.k), new ArrayList<>(from.v));
  }

  private static void append(
      ChunkAttention attention, List<Expected> sequences, DType type, SplittableRandom random) {
    int n = sequences.size();
    int[] tokens = random.ints(n, 0, 1 << 30).toArray(); // so that no two are alike
    float[] k = new float[n * KV_HEADS * HEAD_DIM];
    float[] v = new float[k.length];
    for (int i = 0; i < n; i++) {
      Expected sequence = sequences.get(i);
      put(k, i, Numbers.gaussian(random, KV_HEADS * HEAD_DIM), sequence.k, type);
      put(v, i, Numbers.gaussian(random, KV_HEADS * HEAD_DIM), sequence.v, type);
    }
    attention.append(ids(sequences), tokens, k, v);
  }

  private static long[] ids(List<Expected> sequences) {
    return sequences.stream().mapToLong(Expected::id).toArray();
  }

  private static void check(
      ChunkAttention attention, List<Expected> sequences, SplittableRandom random, DType type) {
    int width = QUERY_HEADS * HEAD_DIM;
    float[] q = Numbers.gaussian(random, sequences.size() * width);
    float[] out = new float[q.length];
    attention.attend(ids(sequences), q, out);
    double[] expected = new double[q.length];
    for (int i = 0; i < sequences.size(); i++) {
      for (int head = 0; head < QUERY_HEADS; head++) {
        head(sequences.get(i), head, q, i * width + head * HEAD_DIM, expected);
      }
    }
    Numbers.assertClose("attention", out, expected, type == DType.F32 ? 2e-5 : 2.5e-2);
    float[] first = new float[width];
    int last = sequences.getFirst().k.size() - 1;
    attention.attendFrom(sequences.getFirst().id, last, Arrays.copyOf(q, width), first);
    Numbers.assertClose("one row alone", first, Arrays.copyOf(expected, width), 2.5e-2);
  }

  private static void head(Expected sequence, int head, float[] q, int at, double[] out) {
    int kv = head / (QUERY_HEADS / KV_HEADS) * HEAD_DIM;
    ExpectedHead.add(sequence.k, sequence.v, kv, HEAD_DIM, q, at, out);
  }
}
