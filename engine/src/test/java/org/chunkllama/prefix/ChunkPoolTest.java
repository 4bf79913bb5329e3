package org.chunkllama.prefix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class ChunkPoolTest {
  @Test
  void givesEachIdOnceThenNone() {
    ChunkPool pool = new ChunkPool(3);
    assertThat(new int[] {pool.take(), pool.take(), pool.take()}).containsExactly(0, 1, 2);
    assertThat(pool.free()).isZero();
    assertThatThrownBy(pool::take).isInstanceOf(IllegalStateException.class);
    pool.check();
  }

  @Test
  void takesTheLastGivenFirst() {
    ChunkPool pool = new ChunkPool(4);
    pool.take();
    pool.take();
    pool.give(0);
    assertThat(pool.isFree(0)).isTrue();
    assertThat(pool.take()).isZero();
    assertThat(pool.free()).isEqualTo(2);
    assertThat(pool.total()).isEqualTo(4);
    pool.check();
  }

  @Test
  void refusesADoubleFree() {
    ChunkPool pool = new ChunkPool(2);
    int id = pool.take();
    pool.give(id);
    assertThatThrownBy(() -> pool.give(id)).hasMessageContaining("twice");
  }

  @Test
  void refusesToBeEmpty() {
    assertThatThrownBy(() -> new ChunkPool(0)).isInstanceOf(IllegalArgumentException.class);
  }
}
