package org.chunkllama.bench;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Tensor;

/**
 * Decoding as the paper measures it: {@code batch} sequences share a prompt of {@code shared}
 * tokens and have {@code own} tokens each, the last of which is the row that is computed. With
 * {@code rows} above 1 the last so many tokens of each sequence are a slice of prefill.
 *
 * <p>One cache, two plans: two-phase, and sequence-first alone over the very same chunks.
 */
public final class AttentionWorkload implements AutoCloseable {
  /**
   * What is computed.
   *
   * @param queryHeads query heads
   * @param kvHeads KV heads
   * @param headDim values per head
   * @param chunkTokens tokens per chunk
   * @param type of K and V
   */
  public record Heads(int queryHeads, int kvHeads, int headDim, int chunkTokens, DType type) {
    public KvLayout layout() {
      return new KvLayout(1, kvHeads, headDim, chunkTokens, type);
    }
  }

  private final Backend backend;
  private final Heads heads;
  private final KvCache cache;
  private final Tensor qkv;
  private final Tensor out;
  private final AttentionPlan twoPhase;
  private final AttentionPlan sequenceFirst;
  private final long visible;

  /** Fills a cache with random keys and values. */
  public AttentionWorkload(Backend backend, Heads heads, int batch, int shared, int own, int rows) {
    this.backend = backend;
    this.heads = heads;
    int c = heads.chunkTokens();
    int[][] chunks = paths(batch, shared, own, c);
    int chunkCount = Arrays.stream(chunks[batch - 1]).max().orElseThrow() + 1;
    cache = backend.kvCache(heads.layout(), chunkCount);
    qkv = backend.tensor(Math.max(batch * rows, c), columns(heads));
    out = backend.tensor(batch * rows, heads.queryHeads() * heads.headDim());
    fill(chunkCount);
    twoPhase = plan(chunks, shared + own, rows, true);
    sequenceFirst = plan(chunks, shared + own, rows, false);
    long end = (long) shared + own;
    visible = (long) batch * (rows * end - rows * (rows - 1L) / 2);
  }

  private static int columns(Heads heads) {
    return (heads.queryHeads() + 2 * heads.kvHeads()) * heads.headDim();
  }

  /** Chunk ids by sequence; only whole chunks are shared. */
  static int[][] paths(int batch, int shared, int own, int c) {
    int common = shared / c;
    int length = (shared + own - 1) / c + 1;
    int next = common;
    int[][] paths = new int[batch][length];
    for (int[] path : paths) {
      for (int i = 0; i < length; i++) {
        path[i] = i < common ? i : next++;
      }
    }
    return paths;
  }

  private void fill(int chunkCount) {
    SplittableRandom random = new SplittableRandom(1);
    int c = heads.chunkTokens();
    float[] row = new float[columns(heads)];
    for (int slot = 0; slot < c; slot++) {
      for (int i = 0; i < row.length; i++) {
        row[i] = (float) random.nextDouble(-1, 1);
      }
      qkv.write(slot, row, 0);
    }
    AttentionPlan plan = new AttentionPlan(c);
    plan.rows = c;
    plan.ensureRows(c);
    for (int chunk = 0; chunk < chunkCount; chunk++) {
      for (int slot = 0; slot < c; slot++) {
        plan.rowChunk[slot] = chunk;
        plan.rowSlot[slot] = slot;
      }
      plan.version++;
      backend.append(cache, 0, qkv, plan);
    }
    for (int r = c; r < qkv.rows(); r++) {
      qkv.write(r, row, 0);
    }
  }

  private AttentionPlan plan(int[][] chunks, int end, int rows, boolean chunkFirst) {
    AttentionPlanner planner =
        new AttentionPlanner(
            heads.chunkTokens(),
            backend.parallelism(),
            heads.queryHeads(),
            heads.kvHeads(),
            chunkFirst,
            backend.planCosts(heads.layout(), heads.queryHeads()));
    planner.begin();
    for (int[] path : chunks) {
      planner.add(path, end - rows, rows);
    }
    return planner.finish();
  }

  /** One layer's attention, chunk first where that pays. */
  public void twoPhase() {
    run(twoPhase);
  }

  /** The same, each sequence for itself. */
  public void sequenceFirst() {
    run(sequenceFirst);
  }

  /** One layer's writes of K and V. */
  public void append() {
    backend.append(cache, 0, qkv, twoPhase);
  }

  private void run(AttentionPlan plan) {
    float scale = (float) (1 / Math.sqrt(heads.headDim()));
    backend.attention(cache, 0, qkv, heads.queryHeads(), scale, plan, out);
  }

  /** Floating-point operations of the two products, 2 per fused multiply-add. */
  public double operations() {
    return 4.0 * visible * heads.queryHeads() * heads.headDim();
  }

  @Override
  public void close() {
    qkv.close();
    out.close();
    cache.close();
  }
}
