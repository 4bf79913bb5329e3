package org.chunkllama.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.chunkllama.error.InvalidRequestException;

/** Lists of numbers as files and options give them. */
final class Shapes {
  private Shapes() {}

  /**
   * Lines of {@code columns} numbers, parted by commas; blank lines and those that begin with # or
   * a letter are skipped.
   *
   * @throws InvalidRequestException naming the line that is malformed
   */
  static List<int[]> read(Path file, int columns) throws IOException {
    List<int[]> rows = new ArrayList<>();
    List<String> lines = Files.readAllLines(file);
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (!line.isEmpty() && line.charAt(0) != '#' && !Character.isLetter(line.charAt(0))) {
        rows.add(parse(line, columns, file + ":" + (i + 1)));
      }
    }
    if (rows.isEmpty()) {
      throw new InvalidRequestException(file + " holds no shape");
    }
    return rows;
  }

  /** {@code columns} whole numbers of 0 or more, parted by commas. */
  static int[] parse(String text, int columns, String where) {
    int[] numbers;
    try {
      numbers =
          Arrays.stream(text.split(",", -1))
              .map(String::strip)
              .mapToInt(Integer::parseInt)
              .toArray();
    } catch (NumberFormatException e) {
      throw new InvalidRequestException(where + ": not whole numbers: " + text, e);
    }
    if (numbers.length != columns || Arrays.stream(numbers).anyMatch(n -> n < 0)) {
      throw new InvalidRequestException(
          where + ": " + columns + " numbers of 0 or more are needed, parted by commas: " + text);
    }
    return numbers;
  }
}
