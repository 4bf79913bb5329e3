package org.chunkllama.sample;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Selection against a full sort. */
class CandidatesTest {
  private final Random random = new Random(7);

  private float[] logits(int vocabulary) {
    float[] logits = new float[vocabulary];
    boolean ties = random.nextBoolean();
    for (int i = 0; i < vocabulary; i++) {
      logits[i] = ties ? random.nextInt(5) - 2 : (float) (4 * random.nextGaussian());
    }
    return logits;
  }

  private static List<Integer> sorted(float[] logits) {
    return IntStream.range(0, logits.length)
        .boxed()
        .sorted(Comparator.<Integer>comparingDouble(i -> -logits[i]).thenComparing(i -> i))
        .toList();
  }

  private static int[] kept(Candidates candidates) {
    return Arrays.copyOf(candidates.sortedIds(), candidates.count());
  }

  private static int[] first(List<Integer> sorted, int n) {
    return sorted.subList(0, n).stream().mapToInt(i -> i).sorted().toArray();
  }

  @Test
  void topKIsThatOfASort() {
    for (int round = 0; round < 500; round++) {
      int vocabulary = 1 + random.nextInt(300);
      float[] logits = logits(vocabulary);
      int k = 1 + random.nextInt(vocabulary);
      Candidates candidates = new Candidates(vocabulary);
      candidates.collect(logits, Float.NEGATIVE_INFINITY);
      candidates.keepTop(k);
      assertThat(kept(candidates)).isEqualTo(first(sorted(logits), k));
    }
  }

  @Test
  void massIsThatOfASort() {
    for (int round = 0; round < 500; round++) {
      int vocabulary = 1 + random.nextInt(300);
      float[] logits = logits(vocabulary);
      float[] weights = new float[vocabulary];
      double total = 0;
      for (int i = 0; i < vocabulary; i++) {
        weights[i] = (float) Math.exp(logits[i]);
        total += weights[i];
      }
      double share = 0.02 + 0.97 * random.nextDouble();
      List<Integer> sorted = sorted(logits);
      int n = 0;
      double mass = 0;
      while (mass < share * total) {
        mass += weights[sorted.get(n++)];
      }
      Candidates candidates = new Candidates(vocabulary);
      candidates.collect(logits, Float.NEGATIVE_INFINITY);
      candidates.keepMass(weights, share);
      assertThat(kept(candidates)).isEqualTo(first(sorted, n));
    }
  }

  @Test
  void collectsFromALeastLogit() {
    Candidates candidates = new Candidates(4);
    candidates.collect(new float[] {1, -1, 0.5f, 2}, 0.5f);
    assertThat(kept(candidates)).containsExactly(0, 2, 3);
  }

  @Test
  void negativeZeroTiesWithZero() {
    Candidates candidates = new Candidates(3);
    candidates.collect(new float[] {-0f, 0f, -1f}, -2f);
    candidates.keepTop(1);
    assertThat(kept(candidates)).containsExactly(0);
  }
}
