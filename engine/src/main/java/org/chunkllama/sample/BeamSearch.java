package org.chunkllama.sample;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Beam search over one prompt: pure bookkeeping, fed with logits. Keeps the rules of Hugging Face
 * transformers, so results are equal: candidates are the best {@code (1 + end ids) * beams}
 * continuations of all beams, only ended ones among the first {@code beams} are kept as finished,
 * and the search ends as {@link GenerationOptions.EarlyStopping} says.
 *
 * <p>Per step: {@link #offer} for each running beam, in order, then {@link #advance}.
 */
public final class BeamSearch {
  /** A chain of tokens from the prompt's end. */
  private record Path(@Nullable Path parent, int token, int length) {
    int[] tokens() {
      int[] tokens = new int[length];
      for (@Nullable Path path = this; path != null; path = path.parent) {
        tokens[path.length - 1] = path.token;
      }
      return tokens;
    }
  }

  private record Running(@Nullable Path path, double sum, int parent) {}

  private record Candidate(int beam, int token, double sum) {}

  private record Finished(Path path, double score, boolean ended) {}

  /**
   * A finished beam.
   *
   * @param tokens generated ids, the ending one included
   * @param score sum of log probabilities / length^lengthPenalty
   * @param reason STOP if an end id ended it, else LENGTH
   */
  public record Result(int[] tokens, double score, FinishReason reason) {}

  private static final Comparator<Candidate> BEST_FIRST =
      Comparator.comparingDouble(Candidate::sum)
          .reversed()
          .thenComparingInt(Candidate::beam)
          .thenComparingInt(Candidate::token);

  private final GenerationOptions options;
  private final int maxTokens;
  private final int[] endIds; // sorted
  private final int keep;
  private final TopTokens top;
  private final List<Candidate> candidates = new ArrayList<>();
  private List<Running> running = List.of(new Running(null, 0, 0));
  private List<Finished> finished = new ArrayList<>();
  private int generated;

  /**
   * A search before its first token.
   *
   * @param options beams, length penalty, minimum tokens, early stopping
   * @param maxTokens most tokens per beam, after the context's limit
   * @param endIds ids that end a beam
   */
  public BeamSearch(GenerationOptions options, int maxTokens, int[] endIds) {
    this.options = options;
    this.maxTokens = maxTokens;
    this.endIds = Arrays.stream(endIds).sorted().distinct().toArray();
    this.keep = Math.max(2, 1 + this.endIds.length) * options.beams();
    this.top = new TopTokens(keep);
  }

  /** Beams whose logits are wanted next: 1 at first, then {@code beams}; 0 when done. */
  public int running() {
    return running.size();
  }

  /** Which running beam of the step before the i-th one continues. */
  public int parent(int i) {
    return running.get(i).parent();
  }

  /** The token that the i-th running beam ends with. */
  public int token(int i) {
    Path path = running.get(i).path();
    if (path == null) {
      throw new IllegalStateException("no step yet");
    }
    return path.token();
  }

  /** Tokens per running beam. */
  public int generated() {
    return generated;
  }

  /**
   * Takes the logits of the i-th running beam.
   *
   * @param logits {@code [vocabulary]}, changed while the minimum of tokens is not reached
   */
  public void offer(int i, float[] logits) {
    float logSum = Sampler.logSumExp(logits);
    Sampler.checkFinite(logSum);
    if (generated < options.minTokens()) {
      for (int id : endIds) {
        logits[id] = Float.NEGATIVE_INFINITY;
      }
    }
    top.select(logits, Math.min(keep, logits.length));
    double sum = running.get(i).sum();
    for (int k = 0; k < top.size() && top.value(k) > Float.NEGATIVE_INFINITY; k++) {
      candidates.add(new Candidate(i, top.id(k), sum + (top.value(k) - logSum)));
    }
  }

  /** Chooses the next beams from what was offered; false when the search is over. */
  public boolean advance() {
    candidates.sort(BEST_FIRST);
    generated++;
    List<Running> next = new ArrayList<>(options.beams());
    List<Finished> ended = new ArrayList<>(finished);
    int count = Math.min(keep, candidates.size());
    for (int i = 0; i < count; i++) {
      Candidate candidate = candidates.get(i);
      Path path = new Path(running.get(candidate.beam()).path(), candidate.token(), generated);
      boolean hitsEnd = Arrays.binarySearch(endIds, candidate.token()) >= 0;
      if (!hitsEnd && generated < maxTokens) {
        if (next.size() < options.beams()) {
          next.add(new Running(path, candidate.sum(), candidate.beam()));
        }
      } else if (i < options.beams()) {
        ended.add(new Finished(path, normalised(candidate.sum(), generated), hitsEnd));
      }
    }
    candidates.clear();
    ended.sort(Comparator.comparingDouble(Finished::score).reversed());
    finished = new ArrayList<>(ended.subList(0, Math.min(ended.size(), options.beams())));
    running = goesOn(next) ? next : List.of();
    return !running.isEmpty();
  }

  private double normalised(double sum, int length) {
    return sum / Math.pow(length, options.lengthPenalty());
  }

  private boolean goesOn(List<Running> next) {
    if (next.isEmpty()) {
      return false;
    }
    if (finished.size() < options.beams()) {
      return true;
    }
    return switch (options.earlyStopping()) {
      case FIRST_FINISHED -> false;
      case HEURISTIC -> canImprove(next, generated);
      case NEVER -> canImprove(next, options.lengthPenalty() > 0 ? maxTokens : generated);
    };
  }

  private boolean canImprove(List<Running> next, int length) {
    return normalised(next.getFirst().sum(), length) > finished.getLast().score();
  }

  /** The {@code n} best beams, best first; fewer if fewer finished. */
  public List<Result> results() {
    return finished.stream()
        .limit(options.n())
        .map(f ->
            new Result(
                f.path().tokens(), f.score(), f.ended() ? FinishReason.STOP : FinishReason.LENGTH))
        .toList();
  }
}
