package org.chunkllama;

import java.time.Duration;
import java.util.Optional;

/** A prefix whose keys and values are computed and stay until closed or expired. Thread-safe. */
public interface Prefix extends AutoCloseable {
  /** Its name for {@link Llm#unpin}, unique in its {@link Llm}. */
  long id();

  /**
   * A request that begins with this prefix, of its salt and tenant: for a system prompt, a chat
   * with this user message.
   */
  GenerationRequest request(String continuation);

  /** Tokens of the prefix; held are whole chunks of them. */
  int tokens();

  /** How it was made. */
  PrefixOptions options();

  /** Time until it lets go by itself; empty if it never does, zero if it did. */
  Optional<Duration> timeLeft();

  /** Lets go; the chunks become evictable. */
  @Override
  void close();
}
