package org.chunkllama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.error.PoolExhaustedException;
import org.chunkllama.spi.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChunkAttentionTest {
  private static final ChunkAttentionOptions SMALL =
      ChunkAttentionOptions.of(4, 2, 8).withChunkTokens(16).withChunks(64).withBackend("reference");

  @ParameterizedTest
  @CsvSource({"F32,true", "F32,false", "BF16,true", "F16,true"})
  void randomHistories(DType type, boolean sharing) {
    ChunkAttentionOptions options = SMALL.withKvType(type).withChunks(64).withSharing(sharing);
    int refused = 0;
    for (int seed = 0; seed < 4; seed++) {
      try (ChunkAttention attention = ChunkAttention.open(options)) {
        SplittableRandom random = new SplittableRandom(seed);
        refused += new ChunkAttentionHistory(attention, options, random).run(250);
        ChunkAttentionStats stats = attention.stats();
        assertThat(stats.tokensReused() > 0).isEqualTo(sharing);
        assertThat(stats.chunksFree() + stats.chunksLive() + stats.chunksRetained()).isEqualTo(64);
      }
    }
    assertThat(refused).as("some calls find the pool full, most do not").isBetween(1, 500);
  }

  private static float[] zeros(int vectors, int heads) {
    return new float[vectors * heads * 8];
  }

  private static int[] tokens(int count) {
    return IntStream.range(0, count).toArray();
  }

  @Test
  void aCommonPrefixIsStoredOnce() {
    try (ChunkAttention attention = ChunkAttention.open(SMALL)) {
      int[] first = tokens(40);
      attention.add(first, zeros(40, 2), zeros(40, 2));
      int[] second = tokens(50);
      second[35] = 99;
      assertThat(attention.match(second)).as("two chunks and part of the third").isEqualTo(35);
      long id = attention.add(second, zeros(50, 2), zeros(50, 2));
      assertThat(attention.reused(id)).isEqualTo(35);
      assertThat(attention.length(id)).isEqualTo(50);
      ChunkAttentionStats stats = attention.stats();
      assertThat(stats.chunksLive()).isEqualTo(3 + 2);
      assertThat(stats.chunksLiveUnshared()).isEqualTo(3 + 4);
      assertThat(stats.kvBytesUnshared()).isEqualTo(7L * 16 * 2 * 2 * 8 * 4);
      assertThat(stats.tokens()).isEqualTo(90);
      assertThat(stats.tokensReused()).isEqualTo(35);
    }
  }

  @Test
  void aRemovedPrefixIsStillHere() {
    try (ChunkAttention attention = ChunkAttention.open(SMALL)) {
      attention.remove(attention.add(tokens(40), zeros(40, 2), zeros(40, 2)));
      assertThat(attention.stats().sequences()).isZero();
      assertThat(attention.match(tokens(40))).isEqualTo(39);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void nativeMemoryGivesTheSame(boolean offHeap) {
    int[] tokens = tokens(37);
    float[] k = random(1, 37 * 16);
    float[] v = random(2, 37 * 16);
    float[] q = random(3, 32);
    float[] expected = new float[32];
    try (ChunkAttention attention = ChunkAttention.open(SMALL)) {
      attention.add(tokens, k, v);
      attention.attend(q, expected);
    }
    try (ChunkAttention attention = ChunkAttention.open(SMALL);
        Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(32 * 4);
      attention.add(tokens, 0, copy(arena, offHeap, k), copy(arena, offHeap, v));
      attention.attend(attention.ids(), copy(arena, offHeap, q), out);
      assertThat(out.toArray(ValueLayout.JAVA_FLOAT)).isEqualTo(expected);
      MemorySegment readOnly = out.asReadOnly();
      assertThatThrownBy(() -> attention.attend(attention.ids(), out, readOnly))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("read-only");
    }
  }

  private static MemorySegment copy(Arena arena, boolean offHeap, float[] values) {
    return offHeap
        ? arena.allocateFrom(ValueLayout.JAVA_FLOAT, values)
        : MemorySegment.ofArray(values);
  }

  private static float[] random(long seed, int count) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  @Test
  void whatIsHereNeedNotBeGivenAgain() {
    float[] k = random(1, 60 * 16);
    float[] v = random(2, 60 * 16);
    float[] q = random(3, 2 * 32);
    float[] out = new float[2 * 32];
    try (ChunkAttention attention = ChunkAttention.open(SMALL)) {
      attention.add(tokens(60), k, v);
      int matched = attention.match(tokens(60));
      assertThat(matched).isEqualTo(59);
      attention.add(
          tokens(60),
          matched,
          MemorySegment.ofArray(Arrays.copyOfRange(k, matched * 16, k.length)),
          MemorySegment.ofArray(Arrays.copyOfRange(v, matched * 16, v.length)));
      System.arraycopy(q, 0, q, 32, 32);
      attention.attend(q, out);
      for (int i = 0; i < 32; i++) {
        assertThat(out[32 + i]).isEqualTo(out[i], within(1e-6f));
      }
      MemorySegment none = MemorySegment.ofArray(new float[0]);
      assertThatThrownBy(() -> attention.add(tokens(70), 61, none, none))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessage("K and V of the first 61 tokens are left out, of 60 they are here");
    }
  }

  @Test
  void aFullPoolChangesNothing() {
    try (ChunkAttention attention = ChunkAttention.open(SMALL.withChunks(4))) {
      long a = attention.add(tokens(30), zeros(30, 2), zeros(30, 2));
      long b = attention.fork(a);
      int[] far = IntStream.range(100, 131).toArray();
      long c = attention.add(far, zeros(31, 2), zeros(31, 2));
      assertThatThrownBy(() -> attention.add(new int[] {7}, zeros(1, 2), zeros(1, 2)))
          .isInstanceOf(PoolExhaustedException.class);
      long[] all = {a, b, c};
      assertThatThrownBy(() -> attention.append(all, new int[] {1, 2, 3}, zeros(3, 2), zeros(3, 2)))
          .as("the first write after the fork takes a chunk")
          .isInstanceOf(PoolExhaustedException.class)
          .hasMessage(
              "1 chunks needed to add a token to 3 sequences, 0 left: remove some or enlarge the pool");
      assertThat(attention.length(a)).isEqualTo(30);
      assertThat(attention.length(b)).isEqualTo(30);
      attention.append(c, 1, zeros(1, 2), zeros(1, 2));
      assertThatThrownBy(() -> attention.append(c, 1, zeros(1, 2), zeros(1, 2)))
          .as("chunk full")
          .isInstanceOf(PoolExhaustedException.class);
      attention.remove(b);
      attention.append(a, 1, zeros(1, 2), zeros(1, 2));
      assertThat(attention.length(a)).isEqualTo(31);
      assertThat(attention.ids()).containsExactly(a, c);
    }
  }

  @Test
  void badArgumentsAreRefused() {
    try (ChunkAttention attention = ChunkAttention.open(SMALL)) {
      long a = attention.add(tokens(3), zeros(3, 2), zeros(3, 2));
      refused("no sequence 77", () -> attention.remove(77));
      refused("no sequence 77", () -> attention.fork(77));
      refused("no sequence 77", () -> attention.append(77, 1, zeros(1, 2), zeros(1, 2)));
      refused(
          "no sequence 77", () -> attention.attend(new long[] {a, 77}, zeros(2, 4), zeros(2, 4)));
      refused("listed twice", () -> attention.attend(new long[] {a, a}, zeros(2, 4), zeros(2, 4)));
      refused("at least one token", () -> attention.add(new int[0], zeros(0, 2), zeros(0, 2)));
      refused(
          "k must hold 3 x 16 floats = 192 bytes, not 256",
          () -> attention.add(tokens(3), zeros(4, 2), zeros(3, 2)));
      refused("v must hold", () -> attention.append(a, 1, zeros(1, 2), zeros(2, 2)));
      refused("q must hold", () -> attention.attend(zeros(2, 4), zeros(1, 4)));
      refused("out must hold", () -> attention.attend(zeros(1, 4), zeros(2, 4)));
      refused("positions 0 to 2", () -> attention.attendFrom(a, 3, zeros(1, 4), zeros(1, 4)));
      refused(
          "2 tokens for 1 sequences",
          () -> attention.append(new long[] {a}, new int[2], zeros(1, 2), zeros(1, 2)));
      attention.remove(a);
      refused("no sequence " + a, () -> attention.length(a));
      attention.attend(zeros(0, 4), zeros(0, 4));
    }
  }

  @Test
  void badOptionsAreRefused() {
    refused("must be a positive multiple", () -> ChunkAttentionOptions.of(5, 2, 8));
    refused("chunk size must be a multiple of 16", () -> SMALL.withChunkTokens(17));
    refused("type must be F32, BF16, F16, F8 or I8", () -> SMALL.withKvType(DType.Q8_0));
    refused("gives 0 chunks", () -> SMALL.withPoolBytes(100));
    refused("unknown backend 'gpu'", () -> ChunkAttention.open(SMALL.withBackend("gpu")));
  }

  @Test
  void aClosedOneSaysSo() {
    ChunkAttention attention = ChunkAttention.open(SMALL);
    attention.close();
    attention.close();
    assertThatThrownBy(() -> attention.add(tokens(1), zeros(1, 2), zeros(1, 2)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  private static void refused(String message, Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining(message);
  }
}
