package org.chunkllama.prefix;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SlotIndexTest {
  private static final int[] AB = {1, 2};

  @Test
  void readyTokensAndThoseInFlightAreToldApartInOneBucket() {
    Node node = Node.ofChunk(0, 2);
    SlotIndex index = new SlotIndex(new Node[] {node}, 2, 0); // all hashes are 0
    Node root = Node.root("");
    node.parent = root;
    node.tokens[0] = 1;
    node.tokens[1] = 2;
    index.add(node, 0);
    index.add(node, 1);
    assertThat(index.find(root, 0, AB, 0, 2, true, -1)).isEqualTo(-1);
    assertThat(index.find(root, 0, AB, 0, 2, false, -1)).isZero();
    index.makeReady(node, 1);
    node.ready = 1;
    assertThat(index.find(root, 0, AB, 0, 1, true, -1)).isZero();
    assertThat(index.find(root, 0, AB, 0, 1, false, -1)).isEqualTo(-1);
    assertThat(index.find(root, 0, AB, 0, 2, true, -1)).isEqualTo(-1);
    assertThat(index.find(root, 0, AB, 0, 2, false, -1)).isZero();
    node.count = 2;
    index.check(2);
    index.remove(node, 0, 2);
    index.check(0);
    assertThat(index.find(root, 0, AB, 0, 1, true, -1)).isEqualTo(-1);
  }

  @Test
  void parentAndTokensDecide() {
    Node node = Node.ofChunk(0, 2);
    SlotIndex index = new SlotIndex(new Node[] {node}, 2, 0);
    node.parent = Node.root("");
    node.tokens[0] = 1;
    index.add(node, 0);
    assertThat(index.find(node.parent, 0, AB, 0, 1, false, -1)).isZero();
    assertThat(index.find(Node.root(""), 0, AB, 0, 1, false, -1)).isEqualTo(-1);
    assertThat(index.find(node.parent, 0, AB, 1, 1, false, -1)).isEqualTo(-1);
  }

  @Test
  void hashesDependOnSaltOrderAndLength() {
    SlotIndex index = new SlotIndex(new Node[] {}, 1, -1);
    int a = index.hash("a");
    assertThat(index.hash("b")).isNotEqualTo(a);
    assertThat(index.extend(index.extend(a, 1), 2))
        .isNotEqualTo(index.extend(index.extend(a, 2), 1));
    assertThat(index.extend(a, 0)).isNotEqualTo(a);
  }
}
