package org.chunkllama.files;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.chunkllama.error.DownloadException;
import org.chunkllama.error.ModelFileException;
import org.chunkllama.error.UnsupportedModelException;

/**
 * Files of a repository at one commit, as the hub's API lists them.
 *
 * @param commit 40 hexadecimal digits
 * @param files by path
 */
record HubListing(String commit, Map<String, HubFile> files) {
  private static final Set<String> TEXTS =
      Set.of(
          "config.json",
          "generation_config.json",
          "tokenizer.json",
          "tokenizer_config.json",
          "chat_template.jinja",
          "LICENSE");

  /** A file's size and hash. */
  record HubFile(String path, long bytes, Checksum checksum) {}

  static HubListing parse(Fields json) {
    String commit = json.string("sha");
    if (!commit.matches("[0-9a-f]{40}")) {
      throw json.wrong("sha", "a commit");
    }
    Map<String, HubFile> files = new LinkedHashMap<>();
    for (Object element : json.list("siblings")) {
      Fields sibling =
          new Fields(json.file(), Map.of("siblings", element))
              .object("siblings")
              .orElseThrow(() -> json.wrong("siblings", "a list of files"));
      file(sibling).ifPresent(file -> files.put(file.path(), file));
    }
    return new HubListing(commit, files);
  }

  private static Optional<HubFile> file(Fields sibling) {
    String path = sibling.string("rfilename");
    // The path becomes one in the cache: nothing that leaves its folder.
    if (!path.matches("[A-Za-z0-9_][A-Za-z0-9._/-]*") || path.contains("..")) {
      return Optional.empty();
    }
    Optional<Fields> large = sibling.object("lfs");
    Optional<String> hash =
        large.isPresent() ? large.get().optionalString("sha256") : sibling.optionalString("blobId");
    Checksum checksum =
        hash.flatMap(Checksum::ofEtag)
            .orElseThrow(() ->
                new DownloadException(
                    sibling.file()
                        + " states no checksum of "
                        + path
                        + "; unset HF_ENDPOINT if it names a mirror"));
    return Optional.of(new HubFile(path, (long) sibling.above("size", -1), checksum));
  }

  /**
   * What must be fetched to open {@code model}: one GGUF file, or a folder's texts and weights.
   * Shards are not known before their index is there; all shards of the usual name are listed.
   */
  List<HubFile> needed(HubModel model) {
    if (!model.file().isEmpty()) {
      return List.of(require(model.file(), model));
    }
    if (!files.containsKey("config.json") || !hasSafetensors()) {
      return List.of(onlyGguf(model));
    }
    require("tokenizer.json", model);
    List<HubFile> needed = new ArrayList<>();
    boolean single = files.containsKey(SafetensorsFolder.SINGLE);
    for (HubFile file : files.values()) {
      String path = file.path();
      boolean weights =
          single
              ? path.equals(SafetensorsFolder.SINGLE)
              : path.equals(SafetensorsFolder.INDEX)
                  || path.matches("model-\\d+-of-\\d+\\.safetensors");
      boolean template = path.matches("additional_chat_templates/[^/]+\\.jinja");
      if (weights || template || TEXTS.contains(path)) {
        needed.add(file);
      }
    }
    return needed;
  }

  private boolean hasSafetensors() {
    return files.containsKey(SafetensorsFolder.SINGLE)
        || files.containsKey(SafetensorsFolder.INDEX);
  }

  private HubFile require(String path, HubModel model) {
    HubFile file = files.get(path);
    if (file == null) {
      throw new ModelFileException(
          model + " has no " + path + "; use another version of the model, such as a GGUF one");
    }
    return file;
  }

  private HubFile onlyGguf(HubModel model) {
    List<String> ggufs = files.keySet().stream().filter(path -> path.endsWith(".gguf")).toList();
    if (ggufs.isEmpty()) {
      throw new UnsupportedModelException(
          model + " holds neither safetensors with a config.json nor a GGUF file; use another");
    }
    if (ggufs.size() > 1) {
      throw new ModelFileException(
          model
              + " holds "
              + ggufs.size()
              + " GGUF files; name one, for example hf:"
              + model.repository()
              + "/"
              + preferred(ggufs));
    }
    return require(ggufs.getFirst(), model);
  }

  private static String preferred(List<String> ggufs) {
    return ggufs.stream()
        .filter(path -> path.contains("Q8_0") || path.contains("q8_0"))
        .findFirst()
        .orElse(ggufs.getFirst());
  }
}
