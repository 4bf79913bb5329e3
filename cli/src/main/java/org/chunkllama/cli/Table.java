package org.chunkllama.cli;

import java.util.ArrayList;
import java.util.List;

/** A table in Markdown, columns padded so that it reads well as it is. */
final class Table {
  private final List<List<String>> rows = new ArrayList<>();

  Table(String... headings) {
    rows.add(List.of(headings));
  }

  Table(List<String> headings) {
    rows.add(List.copyOf(headings));
  }

  /** Adds a row of as many cells as there are headings. */
  void row(String... cells) {
    row(List.of(cells));
  }

  /** Adds a row of as many cells as there are headings. */
  void row(List<String> cells) {
    if (cells.size() != rows.getFirst().size()) {
      throw new IllegalArgumentException(cells + " for the columns " + rows.getFirst());
    }
    rows.add(List.copyOf(cells));
  }

  /** The table; the first column to the left, the others to the right. */
  String text() {
    StringBuilder text = new StringBuilder();
    for (int r = 0; r < rows.size(); r++) {
      text.append('|');
      for (int c = 0; c < rows.get(r).size(); c++) {
        String padding = " ".repeat(width(c) - rows.get(r).get(c).length());
        String cell = rows.get(r).get(c);
        text.append(' ').append(c == 0 ? cell + padding : padding + cell).append(" |");
      }
      text.append('\n');
      if (r == 0) {
        text.append(rule());
      }
    }
    return text.toString();
  }

  private String rule() {
    StringBuilder rule = new StringBuilder("|");
    for (int c = 0; c < rows.getFirst().size(); c++) {
      rule.append("-".repeat(width(c) + 1)).append(c == 0 ? "-|" : ":|");
    }
    return rule.append('\n').toString();
  }

  private int width(int column) {
    return rows.stream().mapToInt(row -> row.get(column).length()).max().orElse(0);
  }
}
