package org.chunkllama;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.chunkllama.sample.FinishReason;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.sample.TokenLogprobs;
import org.chunkllama.schedule.RequestListener;
import org.jspecify.annotations.Nullable;

/** The engine thread fills it, a consumer empties it; one lock between them. */
final class StreamedGeneration implements Generation, RequestListener {
  /** A completion as it grows. */
  private static final class Draft {
    final StringBuilder text = new StringBuilder();
    final List<Integer> tokens = new ArrayList<>();
    final List<TokenLogprobs> logprobs = new ArrayList<>();
    FinishReason reason = FinishReason.CANCELLED;
    String stoppedBy = "";
    double score;

    Completion completion(int index) {
      int[] ids = tokens.stream().mapToInt(Integer::intValue).toArray();
      return new Completion(
          index, text.toString(), ids, reason, stoppedBy, List.copyOf(logprobs), score);
    }
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<GenerationPiece> pieces = new ArrayDeque<>();
  private final TreeMap<Integer, Draft> drafts = new TreeMap<>();
  private final int[] prompt;
  private final GenerationOptions options;
  private final long startNanos = System.nanoTime();
  private volatile @Nullable Runnable canceller;
  private int cachedTokens;
  private long firstNanos;
  private boolean ended;
  private @Nullable RuntimeException error;
  private @Nullable GenerationResult result;

  /** {@code prompt}: ids as the model sees them. */
  StreamedGeneration(int[] prompt, GenerationOptions options) {
    this.prompt = prompt;
    this.options = options;
  }

  /** How to cancel it; set once it is submitted. */
  void onCancel(Runnable cancel) {
    canceller = cancel;
  }

  int[] prompt() {
    return prompt;
  }

  // ---- engine thread

  @Override
  public void admitted(int cached) {
    lock.lock();
    try {
      cachedTokens = cached;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void token(int index, int token, String text, @Nullable TokenLogprobs logprobs) {
    lock.lock();
    try {
      if (firstNanos == 0) {
        firstNanos = System.nanoTime() - startNanos;
      }
      Draft draft = draft(index);
      draft.tokens.add(token);
      draft.text.append(text);
      if (logprobs != null) {
        draft.logprobs.add(logprobs);
      }
      List<TokenLogprobs> listed = logprobs == null ? List.of() : List.of(logprobs);
      if (!options.choosesBest()) {
        put(new GenerationPiece(index, text, new int[] {token}, listed));
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void finished(
      int index, String rest, FinishReason reason, String stoppedBy, double score) {
    lock.lock();
    try {
      Draft draft = draft(index);
      draft.reason = reason;
      draft.stoppedBy = stoppedBy;
      draft.score = score;
      if (!rest.isEmpty()) {
        draft.text.append(rest);
        if (!options.choosesBest()) {
          put(new GenerationPiece(index, rest, new int[0], List.of()));
        }
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void done() {
    lock.lock();
    try {
      List<Completion> completions = options.choosesBest() ? best() : all();
      long nanos = System.nanoTime() - startNanos;
      result = new GenerationResult(completions, prompt, cachedTokens, firstNanos, nanos);
      end();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void failed(RuntimeException cause) {
    lock.lock();
    try {
      error = cause;
      end();
    } finally {
      lock.unlock();
    }
  }

  private List<Completion> all() {
    List<Completion> completions = new ArrayList<>(drafts.size());
    drafts.forEach((index, draft) -> completions.add(draft.completion(index)));
    return completions;
  }

  /** The n best, each as one piece. */
  private List<Completion> best() {
    List<Draft> ranked = new ArrayList<>(drafts.values());
    ranked.sort(Comparator.<Draft>comparingDouble(draft -> draft.score).reversed());
    List<Completion> completions = new ArrayList<>(options.n());
    for (Draft draft : ranked.subList(0, Math.min(options.n(), ranked.size()))) {
      Completion chosen = draft.completion(completions.size());
      completions.add(chosen);
      put(new GenerationPiece(chosen.index(), chosen.text(), chosen.tokenIds(), chosen.logprobs()));
    }
    return completions;
  }

  private void end() {
    ended = true;
    changed.signalAll();
  }

  private Draft draft(int index) {
    return drafts.computeIfAbsent(index, _ -> new Draft());
  }

  private void put(GenerationPiece piece) {
    pieces.add(piece);
    changed.signalAll();
  }

  // ---- consumer

  @Override
  public Iterator<String> iterator() {
    Iterator<GenerationPiece> all = pieces().iterator();
    return new Iterator<>() {
      private @Nullable String next;

      @Override
      public boolean hasNext() {
        while (next == null && all.hasNext()) {
          GenerationPiece piece = all.next();
          if (piece.index() == 0 && !piece.text().isEmpty()) {
            next = piece.text();
          }
        }
        return next != null;
      }

      @Override
      public String next() {
        if (!hasNext() || next == null) {
          throw new NoSuchElementException("the answer ended");
        }
        String piece = next;
        next = null;
        return piece;
      }
    };
  }

  @Override
  public Iterable<GenerationPiece> pieces() {
    return () ->
        new Iterator<>() {
          @Override
          public boolean hasNext() {
            return await(true);
          }

          @Override
          public GenerationPiece next() {
            if (!hasNext()) {
              throw new NoSuchElementException("the answer ended");
            }
            lock.lock();
            try {
              return pieces.remove();
            } finally {
              lock.unlock();
            }
          }
        };
  }

  @Override
  public GenerationResult result() {
    await(false);
    GenerationResult ready = result;
    if (ready == null) {
      throw new IllegalStateException("ended without a result");
    }
    return ready;
  }

  /** Waits for a piece (true) or the end (false). */
  private boolean await(boolean forPiece) {
    lock.lock();
    try {
      while (!ended && (!forPiece || pieces.isEmpty())) {
        changed.await();
      }
      if (forPiece && !pieces.isEmpty()) {
        return true;
      }
      if (error != null) {
        throw error;
      }
      return false;
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      close();
      throw new CancellationException(
          "interrupted while waiting for tokens; the request is cancelled");
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean isDone() {
    lock.lock();
    try {
      return ended;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    Runnable cancel = canceller;
    if (cancel != null && !isDone()) {
      cancel.run();
    }
  }
}
