package org.chunkllama.text;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Encodes long texts of virtual threads on a few platform threads. Encoding is pure work of up to
 * seconds: as many such texts as there are cores would stop all other virtual threads.
 */
final class LongTextEncoder implements Encoder {
  /** UTF-16 units; shorter texts are encoded where the caller is, in some milliseconds. */
  static final int LONG = 64 << 10;

  /** Texts at once; one core stays free where there are more. */
  static final int MOST = Math.max(1, Runtime.getRuntime().availableProcessors() - 1);

  private final Encoder encoder;
  private final ThreadPoolExecutor pool;

  LongTextEncoder(Encoder encoder) {
    this.encoder = encoder;
    this.pool =
        new ThreadPoolExecutor(
            MOST,
            MOST,
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().daemon(true).name("chunkllama-encode-", 0).factory());
    pool.allowCoreThreadTimeOut(true);
  }

  @Override
  public int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
    if (text.length() < LONG || !Thread.currentThread().isVirtual()) {
      return encoder.encode(text, addSpecial, parseSpecial);
    }
    try {
      return CompletableFuture.supplyAsync(
              () -> encoder.encode(text, addSpecial, parseSpecial), pool)
          .join();
    } catch (RejectedExecutionException e) {
      throw new IllegalStateException("the tokenizer is closed", e);
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw e;
    }
  }

  /** What waits is still encoded, or fails as {@code encoder} does once closed. */
  @Override
  public void close() {
    pool.shutdown();
    encoder.close();
  }
}
