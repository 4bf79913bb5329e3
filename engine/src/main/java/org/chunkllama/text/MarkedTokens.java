package org.chunkllama.text;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Finds tokens that are spelled out in a text: the leftmost, and of those the longest. */
final class MarkedTokens {
  private record Token(String text, int id) {}

  /** A token, or the text between two. {@code id} is -1 for text. */
  record Part(String text, int id) {}

  /** By first character, longest first. */
  private final Map<Character, List<Token>> tokens = new HashMap<>();

  MarkedTokens(Map<String, Integer> idsByText) {
    idsByText.forEach((text, id) -> {
      if (!text.isEmpty()) {
        tokens.computeIfAbsent(text.charAt(0), _ -> new ArrayList<>()).add(new Token(text, id));
      }
    });
    for (List<Token> list : tokens.values()) {
      list.sort(Comparator.comparingInt((Token token) -> token.text().length()).reversed());
    }
  }

  /** The parts of {@code text} in order, no text part empty. */
  List<Part> split(String text) {
    var parts = new ArrayList<Part>();
    int start = 0;
    for (int i = 0; i < text.length(); ) {
      int length = 0;
      for (Token token : tokens.getOrDefault(text.charAt(i), List.of())) {
        if (text.startsWith(token.text(), i)) {
          if (i > start) {
            parts.add(new Part(text.substring(start, i), -1));
          }
          parts.add(new Part(token.text(), token.id()));
          length = token.text().length();
          start = i + length;
          break;
        }
      }
      i += Math.max(1, length);
    }
    if (start < text.length()) {
      parts.add(new Part(text.substring(start), -1));
    }
    return parts;
  }
}
