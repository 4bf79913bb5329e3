package org.chunkllama.prefix;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The self-check notices damage and names it. */
class TreeCheckerTest extends TreeFixture {
  private Sequence a = insert("unused");
  private Sequence b = a;

  @BeforeEach
  void plant() {
    tree = tree(16);
    a = compute("abcdefgh12");
    b = compute("abcdefgh34");
    cache("abcdXXXXYYYY");
    pin("abcdXXXX", 0);
    tree.check();
  }

  @AfterEach
  @Override
  void checkTree() {} // broken on purpose

  private void assertBroken(String message) {
    assertThatThrownBy(() -> tree.check())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(message);
  }

  private Node retainedLeaf() {
    return Objects.requireNonNull(tree.store.evictable.oldest());
  }

  @Test
  void lostChunk() {
    tree.store.pool.take();
    assertBroken("retained chunks counted");
  }

  @Test
  void chunkFreedInUse() {
    tree.store.pool.give(a.chunkIds()[2]);
    assertBroken("live chunks counted");
  }

  @Test
  void wrongSharers() {
    a.lastNode().sharers = 2;
    assertBroken("sharers found");
  }

  @Test
  void wrongLast() {
    a.node(0).last = a;
    assertBroken("does not end with sequence 1");
  }

  @Test
  void wrongOrder() {
    b.previous = null;
    assertBroken("order is broken before sequence 1");
  }

  @Test
  void brokenPath() {
    a.chunkIds[1] = a.chunkIds[2];
    assertBroken("is off its path");
  }

  @Test
  void innerChunkNotFull() {
    a.node(1).count = 3;
    a.node(1).ready = 3;
    assertBroken("is not full");
  }

  @Test
  void computedTooFar() {
    a.lastNode().ready = 1;
    assertBroken("is not computed");
  }

  @Test
  void readyBeforeItsParent() {
    a.node(1).ready = 2;
    assertBroken("is ready before its parent");
  }

  @Test
  void wrongPins() {
    a.node(0).pins++;
    assertBroken("pins, ");
  }

  @Test
  void heldAndEvictable() {
    tree.store.evictable.addNewest(a.lastNode());
    assertBroken("is held and evictable");
  }

  @Test
  void notEvictable() {
    tree.store.evictable.remove(retainedLeaf());
    assertBroken("is held and evictable, or neither");
  }

  @Test
  void tokenNotIndexed() {
    tree.store.index.remove(retainedLeaf(), 2, 3);
    assertBroken("tokens are indexed");
  }

  @Test
  void tokenIndexedAsAnother() {
    retainedLeaf().tokens[1] = 'Z';
    assertBroken("is not indexed as it should be");
  }

  @Test
  void tokenIndexedAsInFlight() {
    Sequence c = insert("abcdefgh56");
    c.lastNode().ready = 1; // and not store.makeReady
    assertBroken("is not indexed as it should be");
  }

  @Test
  void wrongChildren() {
    a.node(0).children++;
    assertBroken("children, ");
  }

  @Test
  void equalSiblings() {
    Sequence c = insert("abcdXXXZ");
    c.lastNode().tokens[3] = 'X';
    tree.store.index.remove(c.lastNode(), 3, 4);
    tree.store.index.add(c.lastNode(), 3);
    tree.store.makeReady(c.lastNode(), 4);
    assertBroken("are equal siblings");
  }

  @Test
  void evictedAfterItsParent() {
    cache("abcdXXXXYYYYZZZZ"); // continues YYYY, so both are evictable
    Node leaf = retainedLeaf();
    tree.store.evictable.remove(leaf);
    tree.store.evictable.addNewest(leaf);
    assertBroken("would be evicted after its parent");
  }

  @Test
  void lostRoot() {
    tree.store.roots.clear();
    assertBroken("hangs below a lost root");
  }
}
