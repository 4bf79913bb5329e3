package org.chunkllama.server.generate;

import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.LinkedBlockingQueue;
import org.chunkllama.GenerationPiece;
import org.jspecify.annotations.Nullable;

/** The pieces of several generations in the order in which they come. One consumer. */
public final class Merged implements Iterator<Merged.Piece> {
  /**
   * A piece, or the end of a generation.
   *
   * @param source which generation
   * @param piece null at its end
   * @param error why it failed
   */
  private record Item(
      int source, @Nullable GenerationPiece piece, @Nullable RuntimeException error) {}

  /** A piece and which generation it is of. */
  public record Piece(int source, GenerationPiece piece) {}

  private final BlockingQueue<Item> items = new LinkedBlockingQueue<>();
  private int open;
  private @Nullable Piece next;

  public Merged(Batch batch) {
    List<Running> all = batch.all();
    open = all.size();
    for (int i = 0; i < all.size(); i++) {
      int source = i;
      Thread.ofVirtual().start(() -> pump(source, all.get(source)));
    }
  }

  private void pump(int source, Running running) {
    try {
      running.pieces().forEachRemaining(piece -> items.add(new Item(source, piece, null)));
      items.add(new Item(source, null, null));
    } catch (RuntimeException e) {
      items.add(new Item(source, null, e));
    }
  }

  @Override
  public boolean hasNext() {
    while (next == null && open > 0) {
      Item item = take();
      if (item.error() != null) {
        throw item.error();
      }
      if (item.piece() == null) {
        open--;
      } else {
        next = new Piece(item.source(), item.piece());
      }
    }
    return next != null;
  }

  private Item take() {
    try {
      return items.take();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new CancellationException("interrupted while waiting for tokens");
    }
  }

  @Override
  public Piece next() {
    if (!hasNext() || next == null) {
      throw new NoSuchElementException("all answers ended");
    }
    Piece piece = next;
    next = null;
    return piece;
  }
}
