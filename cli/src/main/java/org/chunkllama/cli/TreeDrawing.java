package org.chunkllama.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.LongUnaryOperator;
import org.chunkllama.prefix.TreeSnapshot;
import org.chunkllama.prefix.TreeSnapshot.Run;

/** A prefix tree as text: one line per run of chunks, children below their parent. */
final class TreeDrawing {
  private static final int PREVIEW_CHARS = 40;

  private final TreeSnapshot tree;
  private final LongUnaryOperator sequenceName;
  private final Function<int[], String> decode;
  private final StringBuilder text = new StringBuilder();

  /**
   * A drawing of {@code tree}.
   *
   * @param sequenceName number to show for a sequence id
   * @param decode text of token ids
   */
  TreeDrawing(TreeSnapshot tree, LongUnaryOperator sequenceName, Function<int[], String> decode) {
    this.tree = tree;
    this.sequenceName = sequenceName;
    this.decode = decode;
  }

  /** The drawing, lines ended by a newline. */
  String draw() {
    text.append(header()).append('\n');
    drawChildren(-1, "");
    return text.toString();
  }

  private String header() {
    return String.format(
        Locale.ROOT,
        "chunks of %d tokens: %,d live, %,d retained, %,d free",
        tree.chunkTokens(),
        tree.chunksLive(),
        tree.chunksRetained(),
        tree.chunksFree());
  }

  private void drawChildren(int parent, String indent) {
    List<Integer> children = new ArrayList<>();
    for (int i = 0; i < tree.runs().size(); i++) {
      if (tree.runs().get(i).parent() == parent) {
        children.add(i);
      }
    }
    for (int i = 0; i < children.size(); i++) {
      boolean last = i == children.size() - 1;
      int child = children.get(i);
      text.append(indent).append(last ? "└─ " : "├─ ").append(line(tree.runs().get(child)));
      text.append('\n');
      drawChildren(child, indent + (last ? "   " : "│  "));
    }
  }

  private String line(Run run) {
    List<String> parts = new ArrayList<>();
    parts.add(count(run.tokens(), "token") + " in " + count(run.chunks(), "chunk"));
    parts.add(sharers(run));
    if (run.pinned()) {
      parts.add("pinned");
    }
    if (run.inFlight()) {
      parts.add("being computed");
    }
    if (run.parent() < 0 && !run.salt().isEmpty()) {
      parts.add("salt " + run.salt());
    }
    if (run.tokenIds().length > 0) {
      parts.add(preview(run));
    }
    return String.join(" · ", parts);
  }

  private String sharers(Run run) {
    if (run.isRetained()) {
      return "retained";
    }
    String names = ranges(names(run));
    return run.isShared() ? "shared by " + run.sequences().length + ": " + names : names;
  }

  private long[] names(Run run) {
    long[] names = new long[run.sequences().length];
    for (int i = 0; i < names.length; i++) {
      names[i] = sequenceName.applyAsLong(run.sequences()[i]);
    }
    java.util.Arrays.sort(names);
    return names;
  }

  /** {@code #0-#3, #7}. */
  private static String ranges(long[] sorted) {
    List<String> parts = new ArrayList<>();
    for (int from = 0; from < sorted.length; ) {
      int to = from;
      while (to + 1 < sorted.length && sorted[to + 1] == sorted[to] + 1) {
        to++;
      }
      parts.add(from == to ? "#" + sorted[from] : "#" + sorted[from] + "-#" + sorted[to]);
      from = to + 1;
    }
    return String.join(", ", parts);
  }

  private static String count(int count, String noun) {
    return String.format(Locale.ROOT, "%,d %s%s", count, noun, count == 1 ? "" : "s");
  }

  private String preview(Run run) {
    String whole = decode.apply(run.tokenIds()).replaceAll("\\s+", " ").strip();
    int[] characters = whole.codePoints().limit(PREVIEW_CHARS + 1L).toArray();
    if (characters.length <= PREVIEW_CHARS) {
      return "\"" + whole + "\"";
    }
    return "\"" + new String(characters, 0, PREVIEW_CHARS) + "…\"";
  }

  /** The same tree as data. */
  Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("chunk_tokens", tree.chunkTokens());
    json.put("chunks_total", tree.chunksTotal());
    json.put("chunks_live", tree.chunksLive());
    json.put("chunks_retained", tree.chunksRetained());
    json.put("chunks_free", tree.chunksFree());
    json.put("runs", tree.runs().stream().map(this::json).toList());
    return json;
  }

  private Map<String, Object> json(Run run) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("parent", run.parent());
    json.put("depth", run.depth());
    json.put("salt", run.salt());
    json.put("first_token", run.firstToken());
    json.put("tokens", run.tokens());
    json.put("chunks", run.chunks());
    json.put("sequences", names(run));
    json.put("retained", run.isRetained());
    json.put("pinned", run.pinned());
    json.put("in_flight", run.inFlight());
    if (run.tokenIds().length > 0) {
      json.put("text", decode.apply(run.tokenIds()));
    }
    return json;
  }
}
