package org.chunkllama.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Properties;

/**
 * Tunings that come with the product: a table for each compute capability, with an entry for each
 * kind of heads, {@code KV heads x head dim x group}, and one called {@code any}. A table says
 * whether it was {@code measured}.
 */
final class ShippedTunings {
  private static final String ANY = "any";

  /**
   * An entry.
   *
   * @param isMeasured false if its values are those of the heuristic
   */
  record Shipped(CudaTuning tuning, boolean isMeasured) {}

  private ShippedTunings() {}

  /**
   * What the table of an architecture says; empty if there is none.
   *
   * @param architecture such as {@code sm_90a}
   * @param heads as {@link TuningKey#heads}
   */
  static Optional<Shipped> of(String architecture, String heads) {
    String name = "tuning/" + architecture.replaceFirst("a$", "") + ".properties";
    try (InputStream in = ShippedTunings.class.getResourceAsStream(name)) {
      if (in == null) {
        return Optional.empty();
      }
      Properties table = new Properties();
      table.load(new InputStreamReader(in, StandardCharsets.UTF_8));
      String entry = table.containsKey(prefix(heads) + Knob.BALANCE.key()) ? heads : ANY;
      return Optional.of(
          new Shipped(
              TuningFiles.tuning(table, prefix(entry)),
              Boolean.parseBoolean(table.getProperty("measured"))));
    } catch (IOException e) {
      throw new UncheckedIOException("table " + name + " of this build cannot be read", e);
    }
  }

  private static String prefix(String entry) {
    return entry + ".";
  }
}
