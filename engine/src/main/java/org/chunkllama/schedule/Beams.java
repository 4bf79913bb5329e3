package org.chunkllama.schedule;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.chunkllama.sample.BeamSearch;
import org.chunkllama.sample.FinishReason;
import org.chunkllama.text.IncrementalDetokenizer;

/** A beam search: one live sequence per running beam, all in every step. */
final class Beams extends Continuation {
  private final int maxTokens;
  private final int[] endIds;
  private final Supplier<IncrementalDetokenizer> detokenizers;
  private BeamSearch search;

  /** The running beams' sequences, in the search's order; empty before the first step. */
  List<Live> lanes = new ArrayList<>();

  Beams(Group group, int maxTokens, int[] endIds, Supplier<IncrementalDetokenizer> detokenizers) {
    super(group);
    this.maxTokens = maxTokens;
    this.endIds = endIds;
    this.detokenizers = detokenizers;
    this.search = newSearch();
  }

  private BeamSearch newSearch() {
    return new BeamSearch(group.request.options(), maxTokens, endIds);
  }

  BeamSearch search() {
    return search;
  }

  @Override
  int weight() {
    return group.request.options().beams();
  }

  @Override
  boolean wantsLogits() {
    return true;
  }

  @Override
  int[] tokens() {
    return group.request.prompt();
  }

  @Override
  int generated() {
    return 0;
  }

  /** Nothing was shown yet: the search starts over, which is rare and simple. */
  @Override
  void preempted() {
    search = newSearch();
    lanes.clear();
  }

  /** Tells the listener the best beams. */
  void finish() {
    over = true;
    List<BeamSearch.Result> results = search.results();
    for (int i = 0; i < results.size(); i++) {
      tell(i, results.get(i));
    }
  }

  private void tell(int index, BeamSearch.Result result) {
    IncrementalDetokenizer detokenizer = detokenizers.get();
    int[] tokens = result.tokens();
    for (int i = 0; i < tokens.length; i++) {
      boolean ends = result.reason() == FinishReason.STOP && i == tokens.length - 1;
      group.listener().token(index, tokens[i], ends ? "" : detokenizer.append(tokens[i]), null);
    }
    group.listener().finished(index, detokenizer.finish(), result.reason(), "", result.score());
  }

  @Override
  void cancel() {
    over = true;
    for (int i = 0; i < group.request.options().n(); i++) {
      group.listener().finished(i, "", FinishReason.CANCELLED, "", 0);
    }
  }
}
