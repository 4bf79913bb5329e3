package org.chunkllama;

/** A prefix whose keys and values are computed and stay until closed. Thread-safe. */
public interface Prefix extends AutoCloseable {
  /** A request that begins with this prefix: for a system prompt, a chat with this user message. */
  GenerationRequest request(String continuation);

  /** Tokens held. */
  int tokens();

  /** Lets go; the chunks become evictable. */
  @Override
  void close();
}
