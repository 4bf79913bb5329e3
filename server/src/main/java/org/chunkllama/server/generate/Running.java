package org.chunkllama.server.generate;

import java.util.Iterator;
import java.util.List;
import org.chunkllama.Generation;
import org.chunkllama.GenerationPiece;
import org.chunkllama.GenerationResult;
import org.chunkllama.sample.FinishReason;
import org.chunkllama.server.http.ApiException;
import org.chunkllama.server.http.ApiException.Kind;
import org.chunkllama.server.metrics.GenerationFigures;

/** One request's generation. Closing it cancels what is not finished. */
public final class Running implements AutoCloseable {
  private final Generation generation;
  private final GenerationFigures figures;
  private boolean counted;

  Running(Generation generation, GenerationFigures figures) {
    this.generation = generation;
    this.figures = figures;
  }

  /** What comes, as it comes; the first call waits until there is something or nothing to come. */
  public Iterator<GenerationPiece> pieces() {
    Iterator<GenerationPiece> inner = generation.pieces().iterator();
    return new Iterator<>() {
      private long last;

      @Override
      public boolean hasNext() {
        return inner.hasNext();
      }

      @Override
      public GenerationPiece next() {
        GenerationPiece piece = inner.next();
        if (piece.tokenIds().length > 0) {
          long now = System.nanoTime();
          if (last != 0) {
            figures.betweenTokens(now - last);
          }
          last = now;
        }
        return piece;
      }
    };
  }

  /**
   * Waits for the end.
   *
   * @throws ApiException if the server cancelled it
   */
  public GenerationResult result() {
    GenerationResult result = generation.result();
    if (result.completions().stream().anyMatch(c -> c.finishReason() == FinishReason.CANCELLED)) {
      throw ApiException.of(
          Kind.UNAVAILABLE, "cancelled", "the answer was cut off: the server is stopping");
    }
    if (!counted) {
      counted = true;
      figures.finished(result);
    }
    return result;
  }

  /** Results in the order of the generations. */
  public static List<GenerationResult> results(List<Running> all) {
    return all.stream().map(Running::result).toList();
  }

  @Override
  public void close() {
    generation.close();
  }
}
