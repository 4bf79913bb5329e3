package org.chunkllama.files;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.chunkllama.error.ModelFileException;

/** Models known by name: data, read from {@code catalogue.json} beside this class. */
public final class Catalogue {
  private static final String RESOURCE = "catalogue.json";

  /**
   * A model.
   *
   * @param name what people type
   * @param description one line
   * @param licence SPDX identifier of the weights' licence
   * @param file name of the file in the cache
   * @param bytes its size
   * @param sha256 its checksum, lower-case hexadecimal
   * @param sources where to fetch it, best first
   */
  public record Entry(
      String name,
      String description,
      String licence,
      String file,
      long bytes,
      String sha256,
      List<Source> sources) {}

  /** Where a file can be fetched. */
  public sealed interface Source {
    /**
     * A file in a repository of the Hugging Face hub.
     *
     * @param repository {@code organisation/name}
     * @param revision branch, tag or commit
     */
    record HubFile(String repository, String revision, String file) implements Source {}

    /**
     * A member of a Python wheel, fetched by the user's own pip.
     *
     * @param requirement {@code name==version}
     * @param member path in the wheel
     * @param bytes size of the wheel, for progress
     */
    record PipWheel(String requirement, String member, long bytes) implements Source {}
  }

  private final List<Entry> entries;

  Catalogue(List<Entry> entries) {
    this.entries = List.copyOf(entries);
  }

  /** The models that this version knows. */
  public static Catalogue builtIn() {
    try (InputStream in = Catalogue.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException(RESOURCE + " is not in the jar");
      }
      return parse(Json.parse(in.readAllBytes(), RESOURCE));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All models, in the order of the data. */
  public List<Entry> entries() {
    return entries;
  }

  /** The model called {@code name}. */
  public Optional<Entry> find(String name) {
    return entries.stream().filter(entry -> entry.name.equals(name)).findFirst();
  }

  static Catalogue parse(Fields json) {
    List<Entry> entries = new ArrayList<>();
    for (Fields entry : objects(json, "models")) {
      entries.add(
          new Entry(
              entry.string("name"),
              entry.string("description"),
              entry.string("licence"),
              entry.string("file"),
              (long) entry.above("bytes", 0),
              entry.string("sha256"),
              objects(entry, "sources").stream().map(Catalogue::source).toList()));
    }
    return new Catalogue(entries);
  }

  private static Source source(Fields source) {
    String kind = source.string("kind");
    return switch (kind) {
      case "hub" ->
          new Source.HubFile(
              source.string("repository"), source.string("revision"), source.string("file"));
      case "pip" ->
          new Source.PipWheel(
              source.string("requirement"),
              source.string("member"),
              (long) source.above("bytes", 0));
      default ->
          throw new ModelFileException(
              source.file()
                  + ": unknown kind of source "
                  + Untrusted.quote(kind)
                  + "; use a newer ChunkLlama");
    };
  }

  private static List<Fields> objects(Fields json, String key) {
    List<Fields> objects = new ArrayList<>();
    for (Object element : json.list(key)) {
      objects.add(
          new Fields(json.file(), Map.of(key, element))
              .object(key)
              .orElseThrow(() -> json.wrong(key, "a list of objects")));
    }
    return objects;
  }
}
