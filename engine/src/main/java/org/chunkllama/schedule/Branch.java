package org.chunkllama.schedule;

import java.util.Arrays;
import org.chunkllama.guide.GuideMatcher;
import org.chunkllama.sample.DrawBatch;
import org.chunkllama.sample.FinishReason;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.sample.LogitsProcessor;
import org.chunkllama.sample.Sampler;
import org.chunkllama.sample.SamplerState;
import org.chunkllama.sample.StopStrings;
import org.chunkllama.sample.TokenLogprobs;
import org.chunkllama.text.IncrementalDetokenizer;
import org.jspecify.annotations.Nullable;

/** One completion: draws a token per step, knows when it ends, makes its text. */
final class Branch extends Continuation {
  private final int index;
  private final int maxTokens;
  private final int[] endIds; // sorted
  private final SamplerState sampling;
  private final StopStrings stops;
  private final IncrementalDetokenizer detokenizer;
  private final TokenList output = new TokenList();
  private final @Nullable GuideMatcher guide;
  private double logprobSum;
  private int drawIndex;
  private @Nullable TokenLogprobs lastLogprobs; // of the last token, if asked for

  /**
   * A completion before its first token.
   *
   * @param index which of its request
   * @param maxTokens most tokens, after the context's limit
   * @param endIds ids that end it, sorted
   * @param guide what it must look like; null = anything
   */
  Branch(
      Group group,
      int index,
      int maxTokens,
      int[] endIds,
      IncrementalDetokenizer detokenizer,
      @Nullable GuideMatcher guide) {
    super(group);
    GenerationOptions options = group.request.options();
    this.index = index;
    this.maxTokens = maxTokens;
    this.endIds = endIds;
    this.detokenizer = detokenizer;
    this.guide = guide;
    this.stops = new StopStrings(options.stop());
    this.sampling =
        SamplerState.start(
            options.sampling(), index, group.request.prompt(), endIds, options.minTokens());
  }

  @Override
  int weight() {
    return 1;
  }

  @Override
  boolean wantsLogits() {
    return true;
  }

  @Override
  int[] tokens() {
    return output.after(group.request.prompt());
  }

  @Override
  int generated() {
    return output.size();
  }

  @Override
  void preempted() {
    // tokens, sampling state and text go on where they are
  }

  /** True if its next token is its last, whichever it is. */
  boolean isAtLimit() {
    return output.size() + 1 >= maxTokens;
  }

  /** The token to append to its sequence. */
  int lastToken() {
    return output.array()[output.size() - 1];
  }

  /** Adds its next draw, from output row {@code row}, to those of the step. */
  void prepare(DrawBatch draws, int row) {
    if (!isOwnWay()) {
      drawIndex = draws.add(row, sampling, guide, isScored() ? listed() : DrawBatch.UNSCORED);
    }
  }

  /**
   * Draws the next token, or takes it from {@code draws} if they have it; {@code row} is its output
   * row. Then {@link #tell} is due, or later if {@link #canTellLater}.
   */
  void draw(DrawBatch draws, int row, Sampler sampler) {
    if (!isScored()) {
      accept(
          isOwnWay()
              ? sampler.sample(processed(draws, row), sampling, guide)
              : draws.token(drawIndex),
          null);
      return;
    }
    TokenLogprobs drawn =
        isOwnWay()
            ? sampler.sampleWithLogprobs(processed(draws, row), sampling, guide, listed())
            : draws.scored(drawIndex);
    logprobSum += drawn.logprob();
    accept(drawn.token(), group.request.options().wantsLogprobs() ? drawn : null);
  }

  /** Processors want the logits themselves. */
  private boolean isOwnWay() {
    return !group.request.processors().isEmpty();
  }

  private float[] processed(DrawBatch draws, int row) {
    float[] values = draws.row(row);
    for (LogitsProcessor processor : group.request.processors()) {
      processor.process(index, output.array(), output.size(), values);
    }
    return values;
  }

  private boolean isScored() {
    GenerationOptions options = group.request.options();
    return options.wantsLogprobs() || options.choosesBest();
  }

  private int listed() {
    return Math.max(0, group.request.options().logprobs());
  }

  private void accept(int token, @Nullable TokenLogprobs logprobs) {
    sampling.accept(token);
    output.add(token);
    lastLogprobs = logprobs;
    if (guide != null) {
      guide.accept(token);
    }
  }

  /** True if it goes on after its last token, whatever text that makes: its listener can wait. */
  boolean canTellLater() {
    boolean mayStop = !group.request.options().stop().isEmpty();
    return !mayStop && !isComplete() && output.size() < maxTokens;
  }

  /** Tells the listener of the last token. Afterwards {@link #over} tells if that ended it. */
  void tell() {
    int token = lastToken();
    String text = isEnd(token) ? "" : show(detokenizer.append(token));
    group.listener().token(index, token, text, lastLogprobs);
    if (isComplete() || !stops.stoppedBy().isEmpty()) {
      finish(FinishReason.STOP);
    } else if (output.size() >= maxTokens) {
      finish(FinishReason.LENGTH);
    }
  }

  private boolean isComplete() {
    return isEnd(lastToken()) || (guide != null && guide.isComplete());
  }

  private boolean isEnd(int token) {
    return Arrays.binarySearch(endIds, token) >= 0;
  }

  private String show(String text) {
    return stops.accept(text, output.size() >= group.request.options().minTokens());
  }

  private void finish(FinishReason reason) {
    over = true;
    String rest = stops.stoppedBy().isEmpty() ? show(detokenizer.finish()) : "";
    if (stops.stoppedBy().isEmpty()) {
      rest += stops.flush();
    }
    boolean chosen = group.request.options().choosesBest();
    double score = chosen ? logprobSum / Math.max(1, output.size()) : 0;
    group.listener().finished(index, rest, reason, stops.stoppedBy(), score);
  }

  @Override
  void cancel() {
    finish(FinishReason.CANCELLED);
  }
}
