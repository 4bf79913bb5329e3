package org.chunkllama.bench.server;

/** Which server is loaded. */
public enum Target {
  CHUNKLLAMA,
  /** Ours with {@code --no-prefix-sharing}. */
  UNSHARED,
  VLLM
}
