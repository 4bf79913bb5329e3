package org.chunkllama.text;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.chunkllama.error.ModelFileException;
import org.jspecify.annotations.Nullable;

/**
 * Hugging Face's own tokenizer, given a tokenizer.json.
 *
 * <p>The library always reads control tokens in the text as such. For text in which they are plain
 * text there is a second instance whose tokenizer.json spells them unguessably; it is made when
 * first asked for.
 */
final class NativeEncoder implements Encoder {
  private final TokenizersLibrary library = NativeTokenizers.library();
  private final Supplier<String> plainJson;

  /** Encoders read; close writes: a handle must not be freed under a running call. */
  private final ReadWriteLock lock = new ReentrantReadWriteLock();

  private final long parsing;
  private final Object plainLock = new Object();
  private volatile long plain;
  private boolean closed;

  /**
   * @param json tokenizer.json
   * @param plainJson the same with control tokens spelled so that no text has them; called once
   * @throws ModelFileException where the library refuses it
   */
  NativeEncoder(String json, Supplier<String> plainJson) {
    this.plainJson = plainJson;
    this.parsing = create(json);
  }

  @Override
  public int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
    lock.readLock().lock();
    try {
      if (closed) {
        throw new IllegalStateException("the tokenizer is closed");
      }
      return ids(parseSpecial ? parsing : plain(), text, addSpecial);
    } finally {
      lock.readLock().unlock();
    }
  }

  private int[] ids(long tokenizer, String text, boolean addSpecial) {
    long encoding = library.encode(tokenizer, text, addSpecial);
    try {
      long[] ids = library.getTokenIds(encoding);
      int[] narrow = new int[ids.length];
      for (int i = 0; i < ids.length; i++) {
        narrow[i] = Math.toIntExact(ids[i]);
      }
      return narrow;
    } finally {
      library.deleteEncoding(encoding);
    }
  }

  private long plain() {
    if (plain == 0) {
      synchronized (plainLock) {
        if (plain == 0) {
          plain = create(plainJson.get());
        }
      }
    }
    return plain;
  }

  private long create(String json) {
    long tokenizer;
    try {
      tokenizer = library.createTokenizerFromString(json);
    } catch (RuntimeException e) {
      throw new ModelFileException(
          "the tokenizer is refused by Hugging Face's tokenizers ("
              + firstLine(e.getMessage())
              + "); download the model again or use another file of it",
          e);
    }
    // A tokenizer.json may ask for either; a prompt must neither be cut nor filled up.
    library.disableTruncation(tokenizer);
    library.disablePadding(tokenizer);
    return tokenizer;
  }

  private static String firstLine(@Nullable String message) {
    return message == null ? "no reason given" : message.lines().findFirst().orElse("");
  }

  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        library.deleteTokenizer(parsing);
        if (plain != 0) {
          library.deleteTokenizer(plain);
        }
      }
    } finally {
      lock.writeLock().unlock();
    }
  }
}
