package org.chunkllama.files;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.chunkllama.error.ModelFileException;

/**
 * A model on the Hugging Face hub, as people write it: {@code hf:org/name}, {@code
 * hf:org/name@revision}, {@code hf:org/name/file.gguf}.
 *
 * @param repository {@code org/name}
 * @param file a file in it, or empty for the whole model
 * @param revision branch, tag or commit
 */
record HubModel(String repository, String file, String revision) {
  static final String PREFIX = "hf:";

  private static final String PART = "[A-Za-z0-9_][A-Za-z0-9._-]*";
  private static final Pattern SHAPE =
      Pattern.compile(
          "hf:(%1$s/%1$s)(?:/(%1$s(?:/%1$s)*\\.gguf))?(?:@(%1$s(?:/%1$s)*))?".formatted(PART));

  static HubModel parse(String text) {
    Matcher shape = SHAPE.matcher(text);
    if (!shape.matches() || text.contains("..")) {
      throw new ModelFileException(
          Untrusted.quote(text)
              + " is not a hub model; write hf:org/name, hf:org/name@revision or"
              + " hf:org/name/file.gguf");
    }
    String file = shape.group(2) == null ? "" : shape.group(2);
    String revision = shape.group(3) == null ? "main" : shape.group(3);
    return new HubModel(shape.group(1), file, revision);
  }

  /** Folder of the repository in the cache. */
  String folder() {
    return repository.replace("/", "--");
  }

  /** The revision as one file name. */
  String revisionName() {
    return revision.replace("/", "--");
  }

  @Override
  public String toString() {
    return PREFIX
        + repository
        + (file.isEmpty() ? "" : "/" + file)
        + (revision.equals("main") ? "" : "@" + revision);
  }
}
