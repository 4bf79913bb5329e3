package org.chunkllama.guide;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A set of code points as sorted, disjoint ranges. Surrogates are never in it. */
final class CharSet {
  static final CharSet ALL = of(0, 0xD7FF).or(of(0xE000, 0x10FFFF));
  static final CharSet DIGITS = of('0', '9');
  static final CharSet WORD = DIGITS.or(of('A', 'Z')).or(of('a', 'z')).or(of('_', '_'));
  static final CharSet SPACES = of(' ', ' ').or(of('\t', '\r'));

  /** What a dot stands for. */
  static final CharSet DOT = ALL.minus(of('\n', '\n')).minus(of('\r', '\r'));

  private final int[] ends; // first, last, first, last, ...

  private CharSet(int[] ends) {
    this.ends = ends;
  }

  /** Both ends included. */
  static CharSet of(int first, int last) {
    return new CharSet(new int[] {first, last});
  }

  static CharSet of(int codePoint) {
    return of(codePoint, codePoint);
  }

  boolean isEmpty() {
    return ends.length == 0;
  }

  int ranges() {
    return ends.length / 2;
  }

  int first(int range) {
    return ends[2 * range];
  }

  int last(int range) {
    return ends[2 * range + 1];
  }

  boolean contains(int codePoint) {
    for (int i = 0; i < ranges(); i++) {
      if (codePoint >= first(i) && codePoint <= last(i)) {
        return true;
      }
    }
    return false;
  }

  CharSet or(CharSet other) {
    List<int[]> all = new ArrayList<>();
    for (CharSet set : List.of(this, other)) {
      for (int i = 0; i < set.ranges(); i++) {
        all.add(new int[] {set.first(i), set.last(i)});
      }
    }
    all.sort((a, b) -> Integer.compare(a[0], b[0]));
    int[] merged = new int[2 * all.size()];
    int n = 0;
    for (int[] range : all) {
      if (n > 0 && range[0] <= merged[n - 1] + 1) {
        merged[n - 1] = Math.max(merged[n - 1], range[1]);
      } else {
        merged[n++] = range[0];
        merged[n++] = range[1];
      }
    }
    return new CharSet(Arrays.copyOf(merged, n));
  }

  CharSet minus(CharSet other) {
    CharSet left = this;
    for (int i = 0; i < other.ranges(); i++) {
      left = left.without(other.first(i), other.last(i));
    }
    return left;
  }

  private CharSet without(int first, int last) {
    int[] kept = new int[ends.length + 2];
    int n = 0;
    for (int i = 0; i < ranges(); i++) {
      if (last(i) < first || first(i) > last) {
        kept[n++] = first(i);
        kept[n++] = last(i);
        continue;
      }
      if (first(i) < first) {
        kept[n++] = first(i);
        kept[n++] = first - 1;
      }
      if (last(i) > last) {
        kept[n++] = last + 1;
        kept[n++] = last(i);
      }
    }
    return new CharSet(Arrays.copyOf(kept, n));
  }

  CharSet and(CharSet other) {
    return minus(ALL.minus(other));
  }
}
