package org.chunkllama.bench;

import org.chunkllama.bench.AttentionWorkload.Heads;
import org.chunkllama.spi.Backend;

/**
 * How many times faster decode attention is with sharing than without: against chunks of each
 * sequence's own ({@code UNSHARED}), or against the same chunks read by each sequence for itself.
 */
public final class AdvantageBench {
  /** What two-phase attention is compared with. */
  public enum Against {
    /** Sharing off: every sequence has its own copy of the prefix. */
    UNSHARED,
    /** Memory shared, computation not. */
    SEQUENCE_FIRST
  }

  private final Backend backend;
  private final Heads heads;
  private final int own;
  private final Against against;
  private final int rounds;

  /**
   * Measures on {@code backend}.
   *
   * @param own tokens of each sequence's own, 1 or more
   * @param rounds of each cell; medians are taken
   */
  public AdvantageBench(Backend backend, Heads heads, int own, Against against, int rounds) {
    this.backend = backend;
    this.heads = heads;
    this.own = own;
    this.against = against;
    this.rounds = rounds;
  }

  /** Times faster with {@code batch} sequences that share {@code shared} tokens. */
  public double cell(int shared, int batch) {
    try (AttentionWorkload workload =
        new AttentionWorkload(backend, heads, batch, shared, own, 1)) {
      if (against == Against.SEQUENCE_FIRST) {
        return Ratios.compare(workload::twoPhase, workload::sequenceFirst, rounds).ratio();
      }
      try (AttentionWorkload off =
          new AttentionWorkload(backend, heads, batch, 0, shared + own, 1)) {
        return Ratios.compare(workload::twoPhase, off::twoPhase, rounds).ratio();
      }
    }
  }
}
