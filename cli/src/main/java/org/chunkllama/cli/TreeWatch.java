package org.chunkllama.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.chunkllama.GenerationRequest;
import org.chunkllama.GenerationResult;
import org.chunkllama.Llm;
import org.chunkllama.prefix.TreeSnapshot;
import org.chunkllama.prefix.TreeSnapshot.Run;

/** Runs requests together and keeps the tree of the moment when most of them were running. */
final class TreeWatch {
  private final List<int[]> prompts = new ArrayList<>();
  private final Map<Long, Integer> promptOfSequence = new HashMap<>();
  private TreeSnapshot fullest;
  private int fullestSequences;
  private long nanos;

  private TreeWatch(Llm llm) {
    this.fullest = llm.tree(true);
  }

  /**
   * Runs all requests to their end.
   *
   * @throws org.chunkllama.error.ChunkLlamaException if one fails
   */
  static TreeWatch run(Llm llm, List<GenerationRequest> requests) {
    TreeWatch watch = new TreeWatch(llm);
    long begin = System.nanoTime();
    List<GenerationResult> results;
    try (Llm.Watch _ = llm.watchTree(true, watch::look)) {
      results = llm.generateAll(requests);
    }
    watch.nanos = System.nanoTime() - begin;
    results.forEach(result -> watch.prompts.add(result.promptTokenIds()));
    watch.match();
    return watch;
  }

  /** On the engine thread; what it writes is read once all requests have ended. */
  private void look(TreeSnapshot tree) {
    int sequences = sequences(tree).size();
    // The latest of equals: by then nothing is in flight.
    if (sequences >= fullestSequences) {
      fullestSequences = sequences;
      fullest = tree;
    }
  }

  private static Set<Long> sequences(TreeSnapshot tree) {
    Set<Long> ids = new HashSet<>();
    for (Run run : tree.runs()) {
      for (long id : run.sequences()) {
        ids.add(id);
      }
    }
    return ids;
  }

  /** Finds each sequence's prompt by its tokens; equal prompts in any order. */
  private void match() {
    Set<Integer> taken = new HashSet<>();
    for (long id : sequences(fullest)) {
      int[] tokens = tokens(id);
      for (int i = 0; i < prompts.size(); i++) {
        if (!taken.contains(i) && startsWith(tokens, prompts.get(i))) {
          taken.add(i);
          promptOfSequence.put(id, i);
          break;
        }
      }
    }
  }

  private int[] tokens(long sequence) {
    return fullest.runs().stream()
        .filter(run -> Arrays.stream(run.sequences()).anyMatch(id -> id == sequence))
        .flatMapToInt(run -> Arrays.stream(run.tokenIds()))
        .toArray();
  }

  private static boolean startsWith(int[] tokens, int[] prompt) {
    return Arrays.mismatch(tokens, prompt) >= prompt.length || Arrays.equals(tokens, prompt);
  }

  /** The tree when most sequences ran. */
  TreeSnapshot fullest() {
    return fullest;
  }

  /** Index of the prompt that a sequence of {@link #fullest} continues. */
  long prompt(long sequence) {
    return promptOfSequence.getOrDefault(sequence, -1);
  }

  /** How long all took. */
  long nanos() {
    return nanos;
  }
}
