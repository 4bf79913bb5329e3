package org.chunkllama.files;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import org.chunkllama.error.ModelFileException;

/**
 * Reads a GGUF header from front to back; whatever the file claims, no read leaves it and no
 * allocation exceeds fixed budgets.
 */
final class GgufCursor {
  /** Array elements, keys and tensors of one file together: several times any real vocabulary. */
  private static final long ELEMENTS = 1L << 22;

  /** Bytes of all texts of one file together. */
  private static final long TEXT_BYTES = 128L << 20;

  // Small reads go through a window on the heap: a JVM that has just started opens a model of
  // 49,152
  // tokens in 100 ms of CPU time so, against 140 ms reading the segment value by value.
  private static final int WINDOW_BYTES = 1 << 16;

  private final MemorySegment bytes;
  private final String file;
  private final byte[] window = new byte[WINDOW_BYTES];
  private long windowFrom;
  private int windowLength;
  private boolean wide = true;
  private long at;
  private long elementsLeft = ELEMENTS;
  private long textBytesLeft = TEXT_BYTES;

  GgufCursor(MemorySegment bytes, String file) {
    this.bytes = bytes;
    this.file = file;
  }

  /** GGUF v1 counts in 32 bits, later versions in 64. */
  void wide(boolean wide) {
    this.wide = wide;
  }

  /** Offset of the next byte. */
  long at() {
    return at;
  }

  long int8(String what) {
    return window[take(1, what)];
  }

  long uint8(String what) {
    return int8(what) & 0xff;
  }

  long int16(String what) {
    int from = take(2, what);
    return (short) ((window[from] & 0xff) | (window[from + 1] << 8));
  }

  long uint16(String what) {
    return int16(what) & 0xffff;
  }

  long int32(String what) {
    return word(take(4, what));
  }

  long uint32(String what) {
    return int32(what) & 0xffff_ffffL;
  }

  long int64(String what) {
    int from = take(8, what);
    return (word(from) & 0xffff_ffffL) | ((long) word(from + 4) << 32);
  }

  private int word(int from) {
    return (window[from] & 0xff)
        | ((window[from + 1] & 0xff) << 8)
        | ((window[from + 2] & 0xff) << 16)
        | (window[from + 3] << 24);
  }

  /** A 64-bit value that must fit a Java long. */
  long uint64(String what) {
    long value = int64(what);
    if (value < 0) {
      throw Untrusted.damaged(
          file, what + " states " + Long.toUnsignedString(value) + ", more than any file holds");
    }
    return value;
  }

  double float32(String what) {
    return Float.intBitsToFloat((int) int32(what));
  }

  double float64(String what) {
    return Double.longBitsToDouble(int64(what));
  }

  /** A count or an extent: 32 bits in v1, 64 later. */
  long size(String what) {
    return wide ? uint64(what) : uint32(what);
  }

  /**
   * A count of things that take at least {@code leastBytes} each, and so cannot outnumber the bytes
   * that follow.
   */
  int count(String what, int leastBytes) {
    long count = size(what);
    if (count > (bytes.byteSize() - at) / leastBytes) {
      throw Untrusted.damaged(
          file, what + " states " + count + " entries, more than the file has room for");
    }
    elementsLeft -= count;
    if (elementsLeft < 0) {
      throw new ModelFileException(
          file
              + ": "
              + what
              + " states "
              + count
              + " entries, beyond the limit of "
              + ELEMENTS
              + "; this is no sound language model");
    }
    return (int) count;
  }

  /** Least bytes of a text: its length. */
  int textLeastBytes() {
    return wide ? 8 : 4;
  }

  /** A text; broken UTF-8 gives U+FFFD. */
  String text(String what) {
    long length = size(what);
    if (length > bytes.byteSize() - at) {
      throw Untrusted.damaged(
          file, what + " states a text of " + length + " bytes, beyond the end of the file");
    }
    textBytesLeft -= length;
    if (textBytesLeft < 0) {
      throw new ModelFileException(
          file
              + ": "
              + what
              + " brings the header's texts above the limit of "
              + (TEXT_BYTES >> 20)
              + " MiB; this is no sound language model");
    }
    if (length <= WINDOW_BYTES) {
      return new String(window, take((int) length, what), (int) length, StandardCharsets.UTF_8);
    }
    byte[] text = new byte[(int) length];
    MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, at, text, 0, text.length);
    at += length;
    return new String(text, StandardCharsets.UTF_8);
  }

  /** Steps over {@code count} bytes; where they begin in the window. */
  private int take(int count, String what) {
    if (bytes.byteSize() - at < count) {
      throw Untrusted.damaged(file, "it ends inside " + what);
    }
    if (at < windowFrom || at + count > windowFrom + windowLength) {
      windowFrom = at;
      windowLength = (int) Math.min(WINDOW_BYTES, bytes.byteSize() - at);
      MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, at, window, 0, windowLength);
    }
    int from = (int) (at - windowFrom);
    at += count;
    return from;
  }
}
