package org.chunkllama.prefix;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Sequences stand in depth-first order, with stable ids. */
class OrderTest extends TreeFixture {
  @Test
  void aSequenceJoinsBehindThoseItSharesMostWith() {
    Sequence a = compute("aaaa1111x");
    Sequence b = compute("bbbb1111x");
    Sequence a2 = compute("aaaa2222x");
    Sequence a11 = compute("aaaa1111y");
    Sequence b2 = compute("bbbb2222x");
    Sequence c = compute("cccc");
    assertThat(order()).containsExactly(a, a11, a2, b, b2, c);
    assertThat(a11.id()).isEqualTo(3);
    tree.remove(a11);
    assertThat(order()).containsExactly(a, a2, b, b2, c);
    tree.remove(a);
    assertThat(order()).containsExactly(a2, b, b2, c);
    Sequence again = insert("aaaa1111z"); // its path is retained below a live chunk
    assertThat(order()).containsExactly(a2, again, b, b2, c);
    assertThat(again.id()).isEqualTo(6);
  }

  @Test
  void aPartialMatchDoesNotChangeThePlace() {
    Sequence a = compute("abcd");
    Sequence x = compute("xxxx");
    Sequence a2 = insert("abXX");
    assertThat(a2.reused()).isEqualTo(2);
    assertThat(order()).containsExactly(a, x, a2);
  }

  @Test
  void tenantsStandTogether() {
    Sequence a = tree.insert(text("aaaa"), 4, "A");
    Sequence b = tree.insert(text("bbbb"), 4, "B");
    Sequence a2 = tree.insert(text("cccc"), 4, "A");
    assertThat(order()).containsExactly(a, a2, b);
    tree.remove(a);
    tree.remove(a2);
    Sequence a3 = tree.insert(text("aaaa"), 4, "A");
    assertThat(order()).containsExactly(b, a3);
  }

  @Test
  void removingTheOnlySequenceEmptiesTheOrder() {
    Sequence a = insert("abcd");
    tree.remove(a);
    assertThat(order()).isEmpty();
    assertThat(tree.sequences()).isZero();
    assertThat(tree.chunksFree()).isEqualTo(32); // nothing was computed
  }
}
