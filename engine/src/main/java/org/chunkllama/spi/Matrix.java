package org.chunkllama.spi;

/**
 * A linear layer's weight on a device, in whatever form the backend multiplies fastest. Closed with
 * its backend.
 */
public interface Matrix {
  /** Values that one product yields per row. */
  int outputs();

  /** Values that one product takes per row. */
  int inputs();

  /**
   * Bytes of memory that this weight occupies beside the mapped file (0 if it is read in place).
   */
  long bytes();
}
