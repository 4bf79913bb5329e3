package org.chunkllama.bench.faults;

/** The server did not keep a promise. */
public final class FaultException extends Exception {
  FaultException(String message) {
    super(message);
  }

  static void unless(boolean holds, String message) throws FaultException {
    if (!holds) {
      throw new FaultException(message);
    }
  }
}
