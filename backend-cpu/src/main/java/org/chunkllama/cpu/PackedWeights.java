package org.chunkllama.cpu;

/** A copy of a matrix's weights in the order in which one product reads them. */
interface PackedWeights extends AutoCloseable {
  /** Memory it takes. */
  long bytes();

  @Override
  void close();
}
