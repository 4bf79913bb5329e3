package org.chunkllama.sample;

import java.util.List;

/**
 * Finds stop strings in a stream of text and holds back what might be the beginning of one. O(text
 * * stop strings); what is held is shorter than the longest of them.
 */
public final class StopStrings {
  private final List<String> stops;
  private final StringBuilder held = new StringBuilder();
  private String stoppedBy = "";

  public StopStrings(List<String> stops) {
    this.stops = stops;
  }

  /**
   * Takes the next piece of text.
   *
   * @param search false: pass all text on and look for nothing
   * @return what can be shown now; after a stop string was found, the rest of the text before it
   */
  public String accept(String piece, boolean search) {
    if (stops.isEmpty()) {
      return piece;
    }
    held.append(piece);
    if (!search) {
      return take(held.length());
    }
    int first = Integer.MAX_VALUE;
    for (String stop : stops) {
      int at = held.indexOf(stop);
      if (at >= 0 && at < first) {
        first = at;
        stoppedBy = stop;
      }
    }
    return take(first < Integer.MAX_VALUE ? first : held.length() - openLength());
  }

  /** The stop string that was found, or empty. */
  public String stoppedBy() {
    return stoppedBy;
  }

  /** What was held back; call when the stream ends for another reason. */
  public String flush() {
    return take(held.length());
  }

  private String take(int length) {
    String text = held.substring(0, length);
    held.delete(0, length);
    return text;
  }

  /** Length of the longest end of the held text that begins a stop string. */
  private int openLength() {
    int longest = 0;
    for (String stop : stops) {
      int most = Math.min(stop.length() - 1, held.length());
      for (int length = most; length > longest; length--) {
        if (endsWith(stop, length)) {
          longest = length;
        }
      }
    }
    return longest;
  }

  private boolean endsWith(String stop, int length) {
    int from = held.length() - length;
    for (int i = 0; i < length; i++) {
      if (held.charAt(from + i) != stop.charAt(i)) {
        return false;
      }
    }
    return true;
  }
}
