package org.chunkllama.tune;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.tune.CoordinateSearch.Found;
import org.junit.jupiter.api.Test;

class CoordinateSearchTest {
  private static final List<List<Double>> LADDERS =
      List.of(List.of(1.0, 2.0, 3.0, 4.0, 5.0), List.of(10.0, 20.0, 30.0), List.of(0.5, 1.0));

  private final List<List<Double>> measured = new ArrayList<>();

  /** Least at (4, 10, 1). */
  private double bowl(List<Double> v) {
    measured.add(v);
    return 1 + Math.abs(v.get(0) - 4) + Math.abs(v.get(1) - 10) / 10 + Math.abs(v.get(2) - 1);
  }

  @Test
  void findsTheBottomAndMeasuresNoPointTwice() {
    CoordinateSearch search = new CoordinateSearch(LADDERS, 0.004, () -> false);
    Found found = search.search(List.of(1.0, 30.0, 0.5), this::bowl);
    assertThat(found.values()).containsExactly(4.0, 10.0, 1.0);
    assertThat(found.cost()).isEqualTo(1);
    assertThat(found.complete()).isTrue();
    assertThat(measured).doesNotHaveDuplicates().hasSize(found.points());
  }

  @Test
  void startsBetweenTheRungs() {
    CoordinateSearch search = new CoordinateSearch(LADDERS, 0.004, () -> false);
    assertThat(search.search(List.of(2.5, 15.0, 0.7), this::bowl).values())
        .containsExactly(4.0, 10.0, 1.0);
  }

  @Test
  void staysWhereGainsAreNoise() {
    CoordinateSearch search = new CoordinateSearch(LADDERS, 0.3, () -> false);
    Found found = search.search(List.of(3.0, 10.0, 1.0), v -> 100 + bowl(v));
    assertThat(found.values()).containsExactly(3.0, 10.0, 1.0);
  }

  @Test
  void neverTakesAPointThatIsNotAllowed() {
    CoordinateSearch search = new CoordinateSearch(LADDERS, 0.004, () -> false);
    Found found =
        search.search(
            List.of(1.0, 10.0, 1.0), v -> v.get(0) > 2 ? Double.POSITIVE_INFINITY : bowl(v));
    assertThat(found.values()).containsExactly(2.0, 10.0, 1.0);
  }

  @Test
  void endsWhenTimeIsOver() {
    CoordinateSearch search = new CoordinateSearch(LADDERS, 0.004, () -> measured.size() >= 3);
    Found found = search.search(List.of(1.0, 30.0, 0.5), this::bowl);
    assertThat(found.complete()).isFalse();
    assertThat(measured).hasSize(3);
    assertThat(found.values()).containsExactly(3.0, 30.0, 0.5);
  }
}
