package org.chunkllama.guide;

import java.util.Arrays;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.guide.Automaton.State;

/**
 * Where one completion is in its guide. Depends on the tokens so far alone, so it outlives
 * preemption. Belongs to the thread of its {@link CompiledGuide}.
 */
public final class GuideMatcher {
  private final CompiledGuide guide;
  private final int[] endIds; // sorted
  private final float[] endLogits;
  private boolean skipsSpace;
  private State state;

  /**
   * A completion before its first token.
   *
   * @param endIds ids that end it, sorted
   * @param skipsSpace the text leaves out a space that its first token begins with
   */
  public GuideMatcher(CompiledGuide guide, int[] endIds, boolean skipsSpace) {
    this.guide = guide;
    this.endIds = endIds;
    this.endLogits = new float[endIds.length];
    this.skipsSpace = skipsSpace;
    this.state = guide.start();
  }

  /**
   * Sets the logits of all tokens that may not follow to minus infinity.
   *
   * @throws InvalidRequestException if the vocabulary has none that may
   */
  public void mask(float[] logits) {
    TokenSet allowed = allowedNow();
    for (int i = 0; i < endIds.length; i++) {
      endLogits[i] = state.accepts ? logits[endIds[i]] : Float.NEGATIVE_INFINITY;
    }
    allowed.keepOnly(logits);
    for (int i = 0; i < endIds.length; i++) {
      logits[endIds[i]] = endLogits[i];
    }
  }

  /**
   * The same as bits: adds the tokens that may follow to a mask.
   *
   * @param mask a bit per token, {@code words} longs from {@code from} on
   * @throws InvalidRequestException if the vocabulary has none that may
   */
  public void allow(long[] mask, int from, int words) {
    allowedNow().addTo(mask, from, words);
    for (int id : endIds) {
      long bit = 1L << id;
      if (state.accepts) {
        mask[from + (id >> 6)] |= bit;
      } else {
        mask[from + (id >> 6)] &= ~bit;
      }
    }
  }

  private TokenSet allowedNow() {
    TokenSet allowed = allowed();
    if (allowed.isEmpty() && !state.accepts) {
      throw new InvalidRequestException(
          "no token of the model's vocabulary can go on as the guide asks; change the guide");
    }
    return allowed;
  }

  private TokenSet allowed() {
    return skipsSpace ? guide.allowedFirst() : guide.allowed(state);
  }

  /** Takes note of the token that was drawn. */
  public void accept(int token) {
    if (Arrays.binarySearch(endIds, token) >= 0) {
      return;
    }
    byte[] bytes = guide.trie().bytes(token);
    int from = skipsSpace && bytes.length > 0 && bytes[0] == ' ' ? 1 : 0;
    skipsSpace &= bytes.length == 0;
    state = guide.next(state, bytes, from);
    if (state.isDead()) {
      throw new IllegalStateException("token " + token + " is not what the guide allows");
    }
  }

  /** True if the text is complete and nothing can follow. */
  public boolean isComplete() {
    return state.accepts && allowed().isEmpty();
  }

  /** True if the text may end here. */
  public boolean accepts() {
    return state.accepts;
  }
}
