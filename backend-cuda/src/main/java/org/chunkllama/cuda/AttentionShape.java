package org.chunkllama.cuda;

/**
 * What the tables of an attention kernel depend on.
 *
 * @param kvHeads KV heads
 * @param group query heads per KV head
 * @param headDim values per head
 * @param lanes blocks per KV head
 * @param rowsMax rows that one record may have
 */
record AttentionShape(int kvHeads, int group, int headDim, int lanes, int rowsMax) {
  int queryHeads() {
    return kvHeads * group;
  }
}
