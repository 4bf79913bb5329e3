package org.chunkllama.spi;

import java.util.Arrays;

/**
 * What to draw from rows of logits in one step, and what came of it ({@link RowSampler} says how).
 * Flat arrays that are filled anew for each step; only the first {@link #count} entries count.
 * Several draws may be from one row.
 *
 * <p>{@link #add} begins a draw; {@link #bias}, {@link #ban} and {@link #penalise}, in this order,
 * and {@link #mask} are about the last one added.
 */
public final class RowDraws {
  /** Token of a draw that the row's values do not allow. */
  public static final int BROKEN = -1;

  /** Value of {@link #listed} for no log probabilities at all. */
  public static final int UNSCORED = -1;

  /** Most likeliest tokens that can be listed. */
  public static final int LISTED_MAX = 128;

  private static final int NO_MASK = -1;

  private final int vocabulary;
  private final int maskWords;

  /** Draws. */
  public int count;

  /** {@code [count]} row of the logits. */
  public int[] row = new int[64];

  /** {@code [count]} 1 / temperature; 0 = the likeliest token. */
  public float[] inverse = new float[64];

  /** {@code [count]} 0 = all. */
  public int[] topK = new int[64];

  /** {@code [count]} in (0, 1]. */
  public double[] topP = new double[64];

  /** {@code [count]} temperature * ln(min-p), 0 or less; minus infinity = all. */
  public double[] margin = new double[64];

  /** {@code [count]} in [0, 1). */
  public double[] uniform = new double[64];

  /**
   * {@code [count]} how many of the likeliest tokens to list, 0 to {@link #LISTED_MAX}; {@link
   * #UNSCORED} = no log probabilities.
   */
  public int[] listed = new int[64];

  /** {@code [count]} 1 = off. */
  public float[] repetition = new float[64];

  /** {@code [count]} 0 = off. */
  public float[] presence = new float[64];

  /** {@code [count]} 0 = off. */
  public float[] frequency = new float[64];

  /** {@code [count]} where the draw's edits begin. */
  public int[] firstEdit = new int[64];

  /** {@code [count]} how many of its edits are biases, */
  public int[] biases = new int[64];

  /** {@code [count]} then bans, */
  public int[] bans = new int[64];

  /** {@code [count]} then penalties. */
  public int[] penalties = new int[64];

  /** {@code [count]} which of the masks it has; -1 = none. */
  public int[] maskIndex = new int[64];

  /** Edits of all draws. */
  public int edits;

  /** {@code [edits]} token id. */
  public int[] editToken = new int[64];

  /** {@code [edits]} bits of a bias; times that a penalised token is in the output. */
  public int[] editValue = new int[64];

  /** Masks of all draws. */
  public int masks;

  /** {@code [masks * maskWords()]} a bit per token, 1 = may be drawn. */
  public long[] maskBits = {};

  /** {@code [count]} result: the token, or {@link #BROKEN}. */
  public int[] token = new int[64];

  /** {@code [count]} result, if scored: its log probability. */
  public float[] logprob = new float[64];

  /** {@code [count]} result: tokens listed; fewer than asked for in a smaller vocabulary. */
  public int[] listedCount = new int[64];

  /** {@code [count * LISTED_MAX]} result: the likeliest tokens, likeliest first. */
  public int[] listedToken = new int[64 * LISTED_MAX];

  /** {@code [count * LISTED_MAX]} result: their log probabilities. */
  public float[] listedLogprob = new float[64 * LISTED_MAX];

  /** For rows of {@code vocabulary} logits. */
  public RowDraws(int vocabulary) {
    this.vocabulary = vocabulary;
    this.maskWords = (vocabulary + Long.SIZE - 1) / Long.SIZE;
  }

  /** Logits in a row. */
  public int vocabulary() {
    return vocabulary;
  }

  /** Longs of a mask. */
  public int maskWords() {
    return maskWords;
  }

  /** Begins a step: no draws. */
  public void clear() {
    count = 0;
    edits = 0;
    masks = 0;
  }

  /**
   * Adds a draw of the likeliest token, unscored: whatever else is wanted is set in the arrays.
   *
   * @return its index
   */
  public int add(int from) {
    if (count == row.length) {
      grow(2 * count);
    }
    int i = count++;
    row[i] = from;
    inverse[i] = 0;
    topK[i] = 0;
    topP[i] = 1;
    margin[i] = Double.NEGATIVE_INFINITY;
    uniform[i] = 0;
    listed[i] = UNSCORED;
    repetition[i] = 1;
    presence[i] = 0;
    frequency[i] = 0;
    firstEdit[i] = edits;
    biases[i] = 0;
    bans[i] = 0;
    penalties[i] = 0;
    maskIndex[i] = NO_MASK;
    return i;
  }

  /** Takes the last draw back. */
  public void dropLast() {
    count--;
    edits = firstEdit[count];
    masks -= maskIndex[count] == NO_MASK ? 0 : 1;
  }

  /** Adds {@code bias} to a token's logit; each token once. */
  public void bias(int token, float bias) {
    edit(token, Float.floatToRawIntBits(bias));
    biases[count - 1]++;
  }

  /** The token must not be drawn. */
  public void ban(int token) {
    edit(token, 0);
    bans[count - 1]++;
  }

  /** Penalises a token that is in the prompt or, {@code times}, in the output; each token once. */
  public void penalise(int token, int times) {
    edit(token, times);
    penalties[count - 1]++;
  }

  private void edit(int token, int value) {
    if (edits == editToken.length) {
      editToken = Arrays.copyOf(editToken, 2 * edits);
      editValue = Arrays.copyOf(editValue, 2 * edits);
    }
    editToken[edits] = token;
    editValue[edits++] = value;
  }

  /**
   * Gives the last draw a mask of no tokens.
   *
   * @return where its {@link #maskWords} begin in {@link #maskBits}
   */
  public int mask() {
    int from = masks * maskWords;
    if (from + maskWords > maskBits.length) {
      maskBits = Arrays.copyOf(maskBits, 2 * from + maskWords);
    }
    Arrays.fill(maskBits, from, from + maskWords, 0);
    maskIndex[count - 1] = masks++;
    return from;
  }

  private void grow(int size) {
    row = Arrays.copyOf(row, size);
    inverse = Arrays.copyOf(inverse, size);
    topK = Arrays.copyOf(topK, size);
    topP = Arrays.copyOf(topP, size);
    margin = Arrays.copyOf(margin, size);
    uniform = Arrays.copyOf(uniform, size);
    listed = Arrays.copyOf(listed, size);
    repetition = Arrays.copyOf(repetition, size);
    presence = Arrays.copyOf(presence, size);
    frequency = Arrays.copyOf(frequency, size);
    firstEdit = Arrays.copyOf(firstEdit, size);
    biases = Arrays.copyOf(biases, size);
    bans = Arrays.copyOf(bans, size);
    penalties = Arrays.copyOf(penalties, size);
    maskIndex = Arrays.copyOf(maskIndex, size);
    token = Arrays.copyOf(token, size);
    logprob = Arrays.copyOf(logprob, size);
    listedCount = Arrays.copyOf(listedCount, size);
    listedToken = Arrays.copyOf(listedToken, size * LISTED_MAX);
    listedLogprob = Arrays.copyOf(listedLogprob, size * LISTED_MAX);
  }
}
