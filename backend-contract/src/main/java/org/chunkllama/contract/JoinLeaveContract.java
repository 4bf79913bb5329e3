package org.chunkllama.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.chunkllama.ChunkAttention;
import org.chunkllama.ChunkAttentionOptions;
import org.chunkllama.ChunkAttentionStats;
import org.chunkllama.error.PoolExhaustedException;
import org.chunkllama.spi.DType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Long decoding while sequences join and leave at random: chunks are accounted for after every
 * step, and results stay those of double precision.
 */
public abstract class JoinLeaveContract extends BackendContract {
  private static final int QUERY_HEADS = 6;
  private static final int KV_HEADS = 2;
  private static final int HEAD_DIM = 64;
  private static final int KV = KV_HEADS * HEAD_DIM;
  private static final int WIDTH = QUERY_HEADS * HEAD_DIM;
  private static final int CHUNK = 16;
  private static final int POOL = 150; // chunks: too few for the longest batch
  private static final int SEQUENCES_MAX = 20;
  private static final int TOKENS_MAX = 180;
  private static final int PROMPTS = 3;
  private static final int COMPARED = 20; // steps from one comparison to the next

  /** For the test of a backend. */
  protected JoinLeaveContract() {}

  /** Steps that are made. */
  protected int steps() {
    return 400;
  }

  /** A live sequence: its tokens, K and V, as they are stored. */
  private record Live(long id, List<Integer> tokens, List<float[]> k, List<float[]> v) {
    void removeLast() {
      tokens.removeLast();
      k.removeLast();
      v.removeLast();
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "F16"})
  void joinsAndLeaves(DType type) {
    ChunkAttentionOptions options =
        ChunkAttentionOptions.of(QUERY_HEADS, KV_HEADS, HEAD_DIM)
            .withKvType(type)
            .withChunkTokens(CHUNK)
            .withChunks(POOL)
            .withBackend(backend().name());
    SplittableRandom random = new SplittableRandom(type.blockBytes());
    List<Live> live = new ArrayList<>();
    int joined = 0;
    int refused = 0;
    try (ChunkAttention attention = ChunkAttention.open(options)) {
      for (int step = 0; step < steps(); step++) {
        try {
          joined += change(attention, live, type, random);
          decode(attention, live, type, random);
        } catch (PoolExhaustedException full) {
          refused++;
          leave(attention, live, random);
        }
        checkAccounts(attention, live);
        if (step % COMPARED == 0) {
          compare(attention, live, type, random);
        }
      }
      assertThat(attention.stats().tokensReused()).isPositive();
    }
    assertThat(joined).isGreaterThan(steps() / 20);
    assertThat(refused).isLessThan(steps() / 2);
  }

  /** Sequences join, fork or leave, sometimes; returns how many joined. */
  private static int change(
      ChunkAttention attention, List<Live> live, DType type, SplittableRandom random) {
    live.stream()
        .filter(s -> s.tokens.size() >= TOKENS_MAX)
        .toList()
        .forEach(s -> leave(attention, live, s));
    int what = random.nextInt(12);
    if (live.isEmpty() || (what < 2 && live.size() < SEQUENCES_MAX)) {
      live.add(join(attention, type, random));
      return 1;
    }
    if (what == 2 && live.size() < SEQUENCES_MAX) {
      Live from = live.get(random.nextInt(live.size()));
      long id = attention.fork(from.id);
      live.add(
          new Live(
              id, new ArrayList<>(from.tokens), new ArrayList<>(from.k), new ArrayList<>(from.v)));
      return 1;
    }
    if (what == 3 && live.size() > 1) {
      leave(attention, live, random);
    }
    return 0;
  }

  /** A prompt: one of a few common beginnings, then tokens of its own. */
  private static Live join(ChunkAttention attention, DType type, SplittableRandom random) {
    int prompt = random.nextInt(PROMPTS);
    int common = random.nextInt(1, 100);
    int[] tokens = new int[common + random.nextInt(1, 40)];
    Live sequence = new Live(0, new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    float[] k = new float[tokens.length * KV];
    float[] v = new float[k.length];
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = i < common ? prompt : random.nextInt(1 << 30);
      put(sequence, tokens[i], type, k, v, i);
    }
    long id = attention.add(tokens, k, v);
    return new Live(id, sequence.tokens, sequence.k, sequence.v);
  }

  /** K and V of the sequence's next token: a function of token and position. */
  private static void put(Live to, int token, DType type, float[] k, float[] v, int index) {
    SplittableRandom random = new SplittableRandom(1000L * token + to.tokens.size());
    float[] key = Numbers.gaussian(random, KV);
    float[] value = Numbers.gaussian(random, KV);
    System.arraycopy(key, 0, k, index * KV, KV);
    System.arraycopy(value, 0, v, index * KV, KV);
    to.tokens.add(token);
    to.k.add(Numbers.rounded(key, type, HEAD_DIM));
    to.v.add(Numbers.rounded(value, type, HEAD_DIM));
  }

  private static void leave(ChunkAttention attention, List<Live> live, SplittableRandom random) {
    leave(attention, live, live.get(random.nextInt(live.size())));
  }

  private static void leave(ChunkAttention attention, List<Live> live, Live sequence) {
    attention.remove(sequence.id);
    live.removeIf(s -> s.id == sequence.id);
  }

  /** One token for every sequence. */
  private static void decode(
      ChunkAttention attention, List<Live> live, DType type, SplittableRandom random) {
    int n = live.size();
    int[] tokens = random.ints(n, 0, 1 << 30).toArray();
    float[] k = new float[n * KV];
    float[] v = new float[k.length];
    for (int i = 0; i < n; i++) {
      put(live.get(i), tokens[i], type, k, v, i);
    }
    try {
      attention.append(ids(live), tokens, k, v);
    } catch (PoolExhaustedException full) { // nothing was appended
      live.forEach(Live::removeLast);
      throw full;
    }
  }

  private static long[] ids(List<Live> live) {
    return live.stream().mapToLong(Live::id).toArray();
  }

  private static void checkAccounts(ChunkAttention attention, List<Live> live) {
    ChunkAttentionStats stats = attention.stats();
    assertThat(stats.chunksFree() + stats.chunksLive() + stats.chunksRetained()).isEqualTo(POOL);
    assertThat(stats.sequences()).isEqualTo(live.size());
    assertThat(stats.tokens()).isEqualTo(live.stream().mapToLong(s -> s.tokens.size()).sum());
    int unshared = live.stream().mapToInt(s -> Math.ceilDiv(s.tokens.size(), CHUNK)).sum();
    assertThat(stats.chunksLiveUnshared()).isEqualTo(unshared);
    assertThat(stats.chunksLive()).isLessThanOrEqualTo(unshared);
    for (Live s : live) {
      assertThat(attention.length(s.id)).isEqualTo(s.tokens.size());
    }
  }

  private static void compare(
      ChunkAttention attention, List<Live> live, DType type, SplittableRandom random) {
    float[] q = Numbers.gaussian(random, live.size() * WIDTH);
    float[] out = new float[q.length];
    attention.attend(ids(live), q, out);
    double[] expected = new double[q.length];
    for (int i = 0; i < live.size(); i++) {
      for (int head = 0; head < QUERY_HEADS; head++) {
        head(live.get(i), head, q, i * WIDTH + head * HEAD_DIM, expected);
      }
    }
    Numbers.assertClose("attention", out, expected, type == DType.F32 ? 2e-5 : 2.5e-2);
  }

  private static void head(Live sequence, int head, float[] q, int at, double[] out) {
    int kv = head / (QUERY_HEADS / KV_HEADS) * HEAD_DIM;
    ExpectedHead.add(sequence.k, sequence.v, kv, HEAD_DIM, q, at, out);
  }
}
