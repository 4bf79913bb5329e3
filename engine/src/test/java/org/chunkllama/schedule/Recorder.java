package org.chunkllama.schedule;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.chunkllama.sample.FinishReason;
import org.chunkllama.sample.TokenLogprobs;
import org.jspecify.annotations.Nullable;

/** Keeps what a listener hears. */
class Recorder implements RequestListener {
  final Map<Integer, List<Integer>> tokens = new TreeMap<>();
  final Map<Integer, StringBuilder> text = new TreeMap<>();
  final Map<Integer, FinishReason> reasons = new TreeMap<>();
  final Map<Integer, String> stoppedBy = new TreeMap<>();
  final Map<Integer, Double> scores = new TreeMap<>();
  final List<TokenLogprobs> logprobs = new ArrayList<>();
  int cached = -1;
  boolean done;
  @Nullable RuntimeException error;

  List<Integer> tokens() {
    return tokens.getOrDefault(0, List.of());
  }

  String text() {
    return text.getOrDefault(0, new StringBuilder()).toString();
  }

  boolean ended() {
    return done || error != null;
  }

  @Override
  public void admitted(int cachedTokens) {
    cached = cachedTokens;
  }

  @Override
  public void token(int index, int token, String piece, @Nullable TokenLogprobs logprob) {
    if (ended()) {
      throw new AssertionError("a token after the end");
    }
    tokens.computeIfAbsent(index, _ -> new ArrayList<>()).add(token);
    text.computeIfAbsent(index, _ -> new StringBuilder()).append(piece);
    if (logprob != null) {
      logprobs.add(logprob);
    }
  }

  @Override
  public void finished(int index, String rest, FinishReason reason, String stop, double score) {
    text.computeIfAbsent(index, _ -> new StringBuilder()).append(rest);
    if (reasons.put(index, reason) != null) {
      throw new AssertionError("completion " + index + " finished twice");
    }
    stoppedBy.put(index, stop);
    scores.put(index, score);
  }

  @Override
  public void done() {
    if (ended()) {
      throw new AssertionError("ended twice");
    }
    done = true;
  }

  @Override
  public void failed(RuntimeException cause) {
    if (ended()) {
      throw new AssertionError("ended twice", cause);
    }
    error = cause;
  }
}
