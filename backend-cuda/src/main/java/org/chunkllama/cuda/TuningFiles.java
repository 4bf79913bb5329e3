package org.chunkllama.cuda;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;

/**
 * Measured tunings in a folder, one properties file each. A file that is broken, or of another GPU,
 * shape or kernel than its name says, is passed over with a warning.
 */
final class TuningFiles {
  private static final System.Logger LOG = System.getLogger(TuningFiles.class.getName());
  private static final String FORMAT = "1";

  private final Path folder;

  TuningFiles(Path folder) {
    this.folder = folder;
  }

  Path path(TuningKey key) {
    return folder.resolve(key.file());
  }

  /** The tuning that was kept for {@code key}, if there is a sound one. */
  Optional<CudaTuning> read(TuningKey key) {
    Path file = path(key);
    Properties properties = new Properties();
    try (Reader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      properties.load(in);
      require(properties, "format", FORMAT);
      require(properties, "gpu", key.gpu());
      require(properties, "architecture", key.architecture());
      require(properties, "shape", key.shape());
      require(properties, "kernel", key.kernel());
      return Optional.of(tuning(properties, ""));
    } catch (NoSuchFileException _) {
      return Optional.empty();
    } catch (IOException | IllegalArgumentException e) {
      LOG.log(
          System.Logger.Level.WARNING,
          "tuning file {0} is passed over ({1}): run ''chunkllama tune'' again, or delete it",
          file,
          e.getMessage());
      return Optional.empty();
    }
  }

  private static void require(Properties properties, String name, String value) {
    if (!value.equals(properties.getProperty(name))) {
      throw new IllegalArgumentException(
          "%s is '%s', not '%s'".formatted(name, properties.getProperty(name), value));
    }
  }

  /**
   * A value for each knob.
   *
   * @throws IllegalArgumentException if one is missing, no number or out of range
   */
  static CudaTuning tuning(Properties properties, String prefix) {
    Map<Knob, Double> values = new EnumMap<>(Knob.class);
    for (Knob knob : Knob.values()) {
      String text = properties.getProperty(prefix + knob.key());
      if (text == null) {
        throw new IllegalArgumentException(prefix + knob.key() + " is missing");
      }
      try {
        values.put(knob, Double.valueOf(text.strip()));
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException(prefix + knob.key() + " is no number: " + text, e);
      }
    }
    return new CudaTuning(values);
  }

  /**
   * Keeps a tuning.
   *
   * @param note one line
   * @throws IOException if the folder cannot be written
   */
  Path write(TuningKey key, CudaTuning tuning, String note) throws IOException {
    StringBuilder text = new StringBuilder("# " + note.replaceAll("\\R", " ") + "\n");
    line(text, "format", FORMAT);
    line(text, "gpu", key.gpu());
    line(text, "architecture", key.architecture());
    line(text, "shape", key.shape());
    line(text, "kernel", key.kernel());
    tuning.values().forEach((knob, value) -> line(text, knob.key(), value));
    return WholeFile.write(path(key), text.toString().getBytes(StandardCharsets.UTF_8));
  }

  private static void line(StringBuilder text, String name, Object value) {
    text.append(name).append('=').append(value).append('\n');
  }
}
