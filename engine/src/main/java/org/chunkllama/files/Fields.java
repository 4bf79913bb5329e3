package org.chunkllama.files;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.chunkllama.error.ModelFileException;
import org.chunkllama.error.UnsupportedModelException;
import org.jspecify.annotations.Nullable;

/**
 * Typed, checked access to what a file states by name: GGUF metadata or a JSON object. Values are
 * String, Boolean, Long, Double, List, Map, {@code long[]}, {@code double[]} or null.
 */
final class Fields {
  private final String file;
  private final Map<String, @Nullable Object> values;

  Fields(String file, Map<String, @Nullable Object> values) {
    this.file = file;
    this.values = values;
  }

  String file() {
    return file;
  }

  /** True if {@code key} is there and not null. */
  boolean has(String key) {
    return values.get(key) != null;
  }

  /** True if {@code key} is there, as a null. */
  boolean isNull(String key) {
    return values.containsKey(key) && values.get(key) == null;
  }

  Iterable<String> keys() {
    return values.keySet();
  }

  /** Everything but nulls. */
  Map<String, Object> all() {
    Map<String, Object> all = new LinkedHashMap<>();
    values.forEach((key, value) -> {
      if (value != null) {
        all.put(key, value);
      }
    });
    return all;
  }

  String string(String key) {
    return optionalString(key).orElseThrow(() -> missing(key));
  }

  Optional<String> optionalString(String key) {
    return switch (values.get(key)) {
      case null -> Optional.empty();
      case String text -> Optional.of(text);
      default -> throw wrong(key, "a text");
    };
  }

  boolean flag(String key, boolean otherwise) {
    return switch (values.get(key)) {
      case null -> otherwise;
      case Boolean flag -> flag;
      default -> throw wrong(key, "true or false");
    };
  }

  /** An integer in [least, most]; a list of equal integers (one per layer) counts as one. */
  int integer(String key, int least, int most) {
    Object value = values.get(key);
    if (value == null) {
      throw missing(key);
    }
    long number = uniform(key, value);
    if (number < least || number > most) {
      throw new ModelFileException(
          file
              + ": "
              + key
              + " is "
              + number
              + ", not between "
              + least
              + " and "
              + most
              + "; the file is damaged or not a language model");
    }
    return (int) number;
  }

  int integer(String key, int least, int most, int otherwise) {
    return has(key) ? integer(key, least, most) : otherwise;
  }

  private long uniform(String key, Object value) {
    List<Object> all =
        switch (value) {
          case long[] array -> boxed(array);
          case List<?> list -> new ArrayList<>(list);
          default -> List.of(value);
        };
    if (all.isEmpty() || !(all.getFirst() instanceof Long first)) {
      throw wrong(key, "an integer");
    }
    if (all.stream().anyMatch(other -> !first.equals(other))) {
      throw new UnsupportedModelException(
          file
              + ": "
              + key
              + " differs from layer to layer, which ChunkLlama does not support;"
              + " use a model with equal layers");
    }
    return first;
  }

  private static List<Object> boxed(long[] array) {
    List<Object> list = new ArrayList<>(array.length);
    for (long value : array) {
      list.add(value);
    }
    return list;
  }

  /** A finite number above {@code least}. */
  double above(String key, double least) {
    double number =
        switch (values.get(key)) {
          case null -> throw missing(key);
          case Double real -> real;
          case Long whole -> whole.doubleValue();
          default -> throw wrong(key, "a number");
        };
    if (!(number > least) || Double.isInfinite(number)) {
      throw new ModelFileException(
          file
              + ": "
              + key
              + " is "
              + number
              + ", not a finite number above "
              + least
              + "; the file is damaged");
    }
    return number;
  }

  double above(String key, double least, double otherwise) {
    return has(key) ? above(key, least) : otherwise;
  }

  /** A list of texts; empty if absent. */
  List<String> strings(String key) {
    List<String> texts = new ArrayList<>();
    for (Object element : list(key)) {
      if (!(element instanceof String text)) {
        throw wrong(key, "a list of texts");
      }
      texts.add(text);
    }
    return texts;
  }

  /** A list; empty if absent. */
  List<?> list(String key) {
    return switch (values.get(key)) {
      case null -> List.of();
      case List<?> list -> list;
      // An empty GGUF array of any type is an empty list.
      case long[] array when array.length == 0 -> List.of();
      case double[] array when array.length == 0 -> List.of();
      default -> throw wrong(key, "a list");
    };
  }

  /** A list of integers of one GGUF array; empty if absent. */
  long[] integers(String key) {
    return switch (values.get(key)) {
      case null -> new long[0];
      case long[] array -> array;
      default -> throw wrong(key, "a list of integers");
    };
  }

  /** A list of numbers of one GGUF array; empty if absent. */
  double[] reals(String key) {
    return switch (values.get(key)) {
      case null -> new double[0];
      case double[] array -> array;
      default -> throw wrong(key, "a list of numbers");
    };
  }

  /** A nested object. */
  Optional<Fields> object(String key) {
    return switch (values.get(key)) {
      case null -> Optional.empty();
      case Map<?, ?> map -> Optional.of(new Fields(file, named(map)));
      default -> throw wrong(key, "an object");
    };
  }

  /** The value as it was read, or null. */
  @Nullable Object raw(String key) {
    return values.get(key);
  }

  ModelFileException wrong(String key, String expected) {
    return new ModelFileException(
        file + ": " + Untrusted.quote(key) + " is not " + expected + "; the file is damaged");
  }

  private ModelFileException missing(String key) {
    return new ModelFileException(
        file + ": " + key + " is missing; the file is damaged or not a language model");
  }

  private static Map<String, @Nullable Object> named(Map<?, ?> map) {
    Map<String, @Nullable Object> named = new LinkedHashMap<>();
    map.forEach((key, value) -> named.put(String.valueOf(key), value));
    return named;
  }
}
