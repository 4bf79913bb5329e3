package org.chunkllama.sample;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.guide.GuideMatcher;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.RowDraws;
import org.chunkllama.spi.RowSampler;
import org.chunkllama.spi.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The draws of one step. What the backend can draw it draws, all at once; of the rest single rows
 * are read. Where it cannot draw, the likeliest tokens of all rows are one call all the same.
 *
 * <p>Per step: {@link #begin}, {@link #add} for each draw, {@link #start}, {@link #finish}, then
 * the results. The same token comes out wherever it is drawn, but where sums of weights differ in
 * their last bits.
 */
public final class DrawBatch {
  /** Value of {@code listed} for a draw without log probabilities. */
  public static final int UNSCORED = RowDraws.UNSCORED;

  private record Draw(
      int row, SamplerState state, @Nullable GuideMatcher guide, int listed, boolean likeliest) {}

  private final Backend backend;
  private final @Nullable RowSampler device;
  private final RowDraws described;
  private final Sampler sampler;
  private final float[] row; // [vocabulary]
  private final List<Draw> draws = new ArrayList<>();
  private int[] best = new int[64];
  private @Nullable Tensor logits;
  private int rows;
  private boolean hasBest;
  private boolean isDrawn;

  /** For rows of {@code vocabulary} logits of {@code backend}. */
  public DrawBatch(Backend backend, int vocabulary) {
    this.backend = backend;
    device = backend.rowSampler(vocabulary).orElse(null);
    described = new RowDraws(vocabulary);
    sampler = new Sampler(vocabulary);
    row = new float[vocabulary];
  }

  /** Begins a step with {@code rows} rows of logits. */
  public void begin(Tensor logits, int rows) {
    this.logits = logits;
    this.rows = rows;
    draws.clear();
    described.clear();
    hasBest = false;
    isDrawn = false;
  }

  /**
   * Adds a draw from row {@code from}.
   *
   * @param guide which tokens may be drawn; null = all
   * @param listed likeliest tokens to list, 0 to {@link GenerationOptions#MAX_LOGPROBS}; {@link
   *     #UNSCORED} = no log probabilities
   * @return its index for the results
   * @throws org.chunkllama.error.InvalidRequestException if the guide allows no token
   */
  public int add(int from, SamplerState state, @Nullable GuideMatcher guide, int listed) {
    if (device != null) {
      describe(from, state, guide, listed);
    }
    boolean likeliest = listed == UNSCORED && guide == null && state.isPlainArgmax();
    draws.add(new Draw(from, state, guide, listed, likeliest));
    return draws.size() - 1;
  }

  private void describe(int from, SamplerState state, @Nullable GuideMatcher guide, int listed) {
    int i = described.add(from);
    boolean done = false;
    try {
      described.listed[i] = listed;
      state.describe(described);
      if (guide != null) {
        int at = described.mask();
        guide.allow(described.maskBits, at, described.maskWords());
      }
      done = true;
    } finally {
      if (!done) {
        described.dropLast();
      }
    }
  }

  /** Begins to draw on the device what can be drawn there. */
  public void start() {
    if (device != null && described.count > 0) {
      device.start(current(), described);
    }
  }

  /** Waits for what was begun. */
  public void finish() {
    if (device != null && described.count > 0) {
      device.finish(described);
      isDrawn = true;
    }
  }

  /**
   * The token of draw {@code i}, which is unscored.
   *
   * @throws org.chunkllama.error.ModelOutputException if the largest logit is NaN or infinite
   */
  public int token(int i) {
    Draw draw = draws.get(i);
    if (isDrawn && described.token[i] != RowDraws.BROKEN) {
      return described.token[i];
    }
    return draw.likeliest && !isDrawn
        ? argmax(draw.row)
        : sampler.sample(row(draw.row), draw.state, draw.guide);
  }

  /**
   * The token of draw {@code i} with its log probabilities.
   *
   * @throws org.chunkllama.error.ModelOutputException if the largest logit is NaN or infinite
   */
  public TokenLogprobs scored(int i) {
    Draw draw = draws.get(i);
    if (!isDrawn || described.token[i] == RowDraws.BROKEN) {
      return sampler.sampleWithLogprobs(row(draw.row), draw.state, draw.guide, draw.listed);
    }
    List<TokenLogprobs.Candidate> listed = new ArrayList<>(described.listedCount[i]);
    int from = i * RowDraws.LISTED_MAX;
    for (int k = from; k < from + described.listedCount[i]; k++) {
      listed.add(new TokenLogprobs.Candidate(described.listedToken[k], described.listedLogprob[k]));
    }
    return new TokenLogprobs(described.token[i], described.logprob[i], listed);
  }

  /** A copy of row {@code r}, free to change until the next call. */
  public float[] row(int r) {
    current().read(r, row, 0);
    return row;
  }

  private int argmax(int r) {
    if (!hasBest) {
      if (best.length < rows) {
        best = new int[2 * rows];
      }
      backend.argmax(current(), rows, best);
      hasBest = true;
    }
    Sampler.checkFinite(current().value(r, best[r])); // in a row of NaN any is one
    return best[r];
  }

  private Tensor current() {
    if (logits == null) {
      throw new IllegalStateException("no step began");
    }
    return logits;
  }
}
