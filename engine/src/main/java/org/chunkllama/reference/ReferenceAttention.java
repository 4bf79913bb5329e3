package org.chunkllama.reference;

import java.util.Arrays;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.spi.KvLayout;

/**
 * Attention as the plan says, segment by segment. An attention state per row and query head (m =
 * max score, l = sum of exp(score - m), o = weighted values) takes in one token after the other;
 * the order of segments does not matter.
 */
final class ReferenceAttention {
  private final ReferenceKvCache cache;
  private final KvLayout kv;
  private final int layer;
  private final ReferenceTensor qkv;
  private final int queryHeads;
  private final float scale;
  private final AttentionPlan plan;

  /** {@code [rows][queryHeads]} */
  private final double[] m;

  /** {@code [rows][queryHeads]} */
  private final double[] l;

  /** {@code [rows][queryHeads][headDim]} */
  private final double[] o;

  private final float[] key;
  private final float[] value;

  ReferenceAttention(
      ReferenceKvCache cache,
      int layer,
      ReferenceTensor qkv,
      int queryHeads,
      float scale,
      AttentionPlan plan) {
    this.cache = cache;
    this.kv = cache.layout();
    this.layer = layer;
    this.qkv = qkv;
    this.queryHeads = queryHeads;
    this.scale = scale;
    this.plan = plan;
    this.m = new double[plan.rows * queryHeads];
    this.l = new double[plan.rows * queryHeads];
    this.o = new double[plan.rows * queryHeads * kv.headDim()];
    this.key = new float[kv.headDim()];
    this.value = new float[kv.headDim()];
    Arrays.fill(m, Double.NEGATIVE_INFINITY);
  }

  void run(ReferenceTensor out) {
    for (int segment = 0; segment < plan.segments; segment++) {
      for (int head = 0; head < kv.kvHeads(); head++) {
        for (int token = 0; token < plan.segmentTokens[segment]; token++) {
          takeToken(segment, head, token);
        }
      }
    }
    for (int row = 0; row < plan.rows; row++) {
      for (int head = 0; head < queryHeads; head++) {
        writeHead(out, row, head);
      }
    }
  }

  private void takeToken(int segment, int kvHead, int token) {
    int chunk = plan.chunkIds[plan.segmentChunkStart[segment] + token / kv.chunkTokens()];
    int slot = token % kv.chunkTokens();
    int position = plan.segmentFirstToken[segment] + token;
    cache.get(layer, chunk, false, kvHead, slot, key);
    cache.get(layer, chunk, true, kvHead, slot, value);
    int group = queryHeads / kv.kvHeads();
    for (int i = 0; i < plan.segmentRows[segment]; i++) {
      int row = plan.segmentFirstRow[segment] + i;
      if (plan.rowPosition[row] >= position) {
        for (int head = kvHead * group; head < (kvHead + 1) * group; head++) {
          takeToken(row, head);
        }
      }
    }
  }

  /** Merges {@link #key} and {@link #value} into the state of one row and query head. */
  private void takeToken(int row, int head) {
    int query = qkv.at(row) + head * kv.headDim();
    double dot = 0;
    for (int i = 0; i < kv.headDim(); i++) {
      dot += (double) qkv.data[query + i] * key[i];
    }
    double score = dot * scale;
    if (score == Double.NEGATIVE_INFINITY) {
      return; // weight 0; and -inf - -inf is not a number
    }
    int state = row * queryHeads + head;
    double max = Math.max(m[state], score);
    double keep = m[state] == max ? 1 : Math.exp(m[state] - max);
    double weight = Math.exp(score - max);
    for (int i = 0; i < kv.headDim(); i++) {
      o[state * kv.headDim() + i] = o[state * kv.headDim() + i] * keep + weight * value[i];
    }
    l[state] = l[state] * keep + weight;
    m[state] = max;
  }

  private void writeHead(ReferenceTensor out, int row, int head) {
    int state = row * queryHeads + head;
    int to = out.at(row) + head * kv.headDim();
    for (int i = 0; i < kv.headDim(); i++) {
      out.data[to + i] = l[state] == 0 ? 0 : (float) (o[state * kv.headDim() + i] / l[state]);
    }
  }
}
