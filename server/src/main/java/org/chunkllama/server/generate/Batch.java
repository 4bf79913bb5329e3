package org.chunkllama.server.generate;

import java.util.List;

/** The generations of one HTTP request. Closing it cancels what is not finished. */
public final class Batch implements AutoCloseable {
  private final Generations owner;
  private final List<Running> all;

  Batch(Generations owner, List<Running> all) {
    this.owner = owner;
    this.all = List.copyOf(all);
  }

  /** In the order of the requests. */
  public List<Running> all() {
    return all;
  }

  public Running first() {
    return all.getFirst();
  }

  void cancel() {
    all.forEach(Running::close);
  }

  @Override
  public void close() {
    owner.forget(this);
    cancel();
  }
}
