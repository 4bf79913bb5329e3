package org.chunkllama.cli;

/** The {@code chunkllama} command. */
public final class ChunkLlama {
  private ChunkLlama() {}

  /** Runs one command and exits with its status. */
  public static void main(String[] args) {
    System.exit(1);
  }
}
