package org.chunkllama.prefix;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a prefix tree ought to do, the plain way: a list of chunks that each know their whole text,
 * a list of sequences, and scans over both for everything. No hashes, no links, no counters.
 */
final class NaiveTree {
  /** A chunk that is not free. Its text is that of the whole path, from the first token on. */
  static final class Chunk {
    final int id;
    final String salt;
    final int depth;
    @Nullable Chunk parent;
    int[] text;
    int ready;
    int pins;
    long released;

    Chunk(int id, String salt, int depth, @Nullable Chunk parent, int[] text) {
      this.id = id;
      this.salt = salt;
      this.depth = depth;
      this.parent = parent;
      this.text = text;
    }
  }

  static final class Seq {
    final long id;
    final String salt;
    final List<Chunk> chunks = new ArrayList<>();
    int[] tokens;
    int computed;

    Seq(long id, String salt, int[] tokens) {
      this.id = id;
      this.salt = salt;
      this.tokens = tokens;
    }
  }

  record Hold(Chunk deepest, long expiry) {}

  /** A copy that the tree asked its KV cache for. */
  record Copy(int from, int to, int slots) {}

  final int total;
  final int c;
  final Map<Integer, Chunk> chunks = new HashMap<>();
  final List<Seq> order = new ArrayList<>();
  final List<Hold> holds = new ArrayList<>();
  long now;
  int evictions;
  int merges;
  private long clock;

  NaiveTree(int total, int chunkTokens) {
    this.total = total;
    this.c = chunkTokens;
  }

  // ---- questions ----

  int ready(int[] prompt, int limit, String salt) {
    int longest = 0;
    for (Chunk chunk : chunks.values()) {
      if (chunk.salt.equals(salt) && chunk.ready > 0) {
        int common = common(prompt, chunk.text, limit);
        longest = Math.max(longest, Math.min(common, chunk.depth * c + chunk.ready));
      }
    }
    return longest;
  }

  int pending(int[] prompt, int limit, String salt) {
    int longest = 0;
    for (Seq s : order) {
      longest = Math.max(longest, s.salt.equals(salt) ? common(prompt, s.tokens, limit) : 0);
    }
    return Math.max(0, longest - ready(prompt, limit, salt));
  }

  List<Seq> sharers(Chunk chunk) {
    return order.stream().filter(s -> s.chunks.contains(chunk)).toList();
  }

  boolean isHeld(Chunk chunk) {
    return chunk.pins > 0 || !sharers(chunk).isEmpty();
  }

  int free() {
    return total - chunks.size();
  }

  int available() {
    return free() + (int) chunks.values().stream().filter(chunk -> !isHeld(chunk)).count();
  }

  /** Free and evictable chunks for a prompt, without those of its own matched path. */
  int availableFor(int[] prompt, String salt) {
    return available()
        - (int) wholePath(prompt, prompt.length - 1, salt).stream().filter(x -> !isHeld(x)).count();
  }

  int needed(int[] prompt, String salt) {
    return Math.ceilDiv(prompt.length, c) - wholePath(prompt, prompt.length - 1, salt).size();
  }

  List<Chunk> wholePath(int[] prompt, int limit, String salt) {
    List<Chunk> path = new ArrayList<>();
    for (int depth = 0; depth < ready(prompt, limit, salt) / c; depth++) {
      int end = (depth + 1) * c;
      List<Chunk> equal =
          chunks.values().stream()
              .filter(x -> x.salt.equals(salt) && x.text.length == end && x.ready == c)
              .filter(x -> common(prompt, x.text, end) == end)
              .toList();
      require(equal.size() == 1, "several chunks for one computed text");
      path.add(equal.getFirst());
    }
    return path;
  }

  // ---- changes; ids of new chunks are the tree's choice ----

  void insert(long id, int[] prompt, String salt, int[] ids, List<Copy> copies, int reused) {
    List<Chunk> path = wholePath(prompt, prompt.length - 1, salt);
    int overlap = ready(prompt, prompt.length - 1, salt) - path.size() * c;
    int needed = needed(prompt, salt);
    boolean tight = needed == availableFor(prompt, salt);
    Chunk above = path.isEmpty() ? null : path.getLast();
    Chunk taken = chunks.get(ids[path.size()]);
    @Nullable Chunk source = null;
    boolean extended = false;
    if (!copies.isEmpty()) {
      Copy copy = copies.getFirst();
      source = Objects.requireNonNull(chunks.get(copy.from()), "copied from a free chunk");
      require(copies.size() == 1 && overlap > 0 && copy.slots() == overlap, "copy " + copies);
      require(copy.to() == ids[path.size()], "copied elsewhere");
      require(
          source != null && holds(source, above, prompt, overlap, salt), "copied from elsewhere");
      require(!isExtensible(source, overlap), "copied instead of extended");
    } else if (taken != null
        && overlap > 0
        && isExtensible(taken, overlap)
        && holds(taken, above, prompt, overlap, salt)) {
      extended = true;
    } else if (overlap > 0) {
      int wanted = overlap;
      boolean excuse =
          chunks.values().stream()
              .anyMatch(x -> !isHeld(x) && holds(x, above, prompt, wanted, salt));
      require(tight && excuse, "a partial match of " + overlap + " tokens was not used");
      overlap = 0;
    }
    require(reused == path.size() * c + overlap, "reused " + reused);

    Seq s = new Seq(id, salt, prompt);
    order.add(placeBelow(path, salt), s);
    s.chunks.addAll(path);
    s.computed = reused;
    if (extended && taken != null) {
      s.chunks.add(taken);
      taken.text = Arrays.copyOf(prompt, Math.min(prompt.length, (taken.depth + 1) * c));
    }
    if (source != null) {
      source.pins++;
    }
    evict(needed - (extended ? 1 : 0));
    while (s.chunks.size() * c < prompt.length) {
      addChunk(s, ids[s.chunks.size()], prompt);
    }
    if (source != null) {
      s.chunks.get(path.size()).ready = overlap;
      source.pins--;
      release(source);
    }
  }

  /** True if the append takes a chunk. */
  boolean needsChunk(Seq s) {
    return s.tokens.length % c == 0 || sharers(s.chunks.getLast()).size() > 1;
  }

  void append(Seq s, int token, int id) {
    Chunk last = s.chunks.getLast();
    boolean full = s.tokens.length % c == 0;
    boolean takes = needsChunk(s);
    int[] text = Arrays.copyOf(s.tokens, s.tokens.length + 1);
    text[s.tokens.length] = token;
    if (!takes) {
      last.text = text;
    } else {
      evict(1);
    }
    s.tokens = text;
    if (takes && full) {
      addChunk(s, id, text);
    } else if (takes) {
      List<Seq> sharers = sharers(last);
      if (sharers.getFirst() != s && sharers.getLast() != s) {
        order.remove(s);
        order.add(order.indexOf(sharers.getLast()) + 1, s);
      }
      s.chunks.removeLast();
      addChunk(s, id, text);
      s.chunks.getLast().ready = last.ready;
    }
  }

  void computed(Seq s, int tokens) {
    for (int i = 0; i < s.chunks.size(); i++) {
      Chunk chunk = s.chunks.get(i);
      int ready = Math.min(c, tokens - i * c);
      if (ready > chunk.ready) {
        chunk.ready = ready;
        Chunk twin = ready == c ? twin(chunk) : null;
        if (twin != null) {
          merge(chunk, twin);
        }
      }
    }
    s.computed = tokens;
  }

  void fork(Seq s, long id) {
    Seq t = new Seq(id, s.salt, s.tokens);
    t.chunks.addAll(s.chunks);
    t.computed = s.computed;
    order.add(order.indexOf(s) + 1, t);
  }

  void remove(Seq s) {
    order.remove(s);
    for (Chunk chunk : s.chunks.reversed()) {
      if (sharers(chunk).isEmpty()) {
        chunk.text = Arrays.copyOf(chunk.text, chunk.depth * c + chunk.ready);
        if (chunk.ready == 0 || twin(chunk) != null) {
          chunks.remove(chunk.id);
        } else {
          release(chunk);
        }
      }
    }
  }

  @Nullable Hold pin(int[] prompt, String salt, long ttl) {
    List<Chunk> path = wholePath(prompt, prompt.length, salt);
    path.forEach(chunk -> chunk.pins++);
    if (path.isEmpty()) {
      return null;
    }
    Hold hold = new Hold(path.getLast(), ttl == 0 ? Long.MAX_VALUE : now + ttl);
    holds.add(hold);
    return hold;
  }

  void unpin(Hold hold) {
    if (holds.remove(hold)) {
      for (Chunk chunk = hold.deepest; chunk != null; chunk = chunk.parent) {
        chunk.pins--;
        release(chunk);
      }
    }
  }

  void dropExpired() {
    holds.stream()
        .filter(hold -> hold.expiry <= now)
        .sorted(Comparator.comparingLong(Hold::expiry)) // stable: the older pin first
        .toList()
        .forEach(this::unpin);
  }

  // ---- helpers ----

  private void evict(int wanted) {
    while (free() < wanted) {
      Chunk victim =
          chunks.values().stream()
              .filter(x -> !isHeld(x) && chunks.values().stream().noneMatch(y -> y.parent == x))
              .min(Comparator.comparingLong(x -> x.released))
              .orElseThrow();
      chunks.remove(victim.id);
      evictions++;
    }
  }

  private void addChunk(Seq s, int id, int[] text) {
    Chunk parent = s.chunks.isEmpty() ? null : s.chunks.getLast();
    int depth = s.chunks.size();
    int[] path = Arrays.copyOf(text, Math.min(text.length, (depth + 1) * c));
    Chunk chunk = new Chunk(id, s.salt, depth, parent, path);
    require(chunks.put(id, chunk) == null, "chunk " + id + " is taken");
    s.chunks.add(chunk);
  }

  private void merge(Chunk chunk, Chunk twin) {
    List<Seq> movers = sharers(chunk);
    List<Seq> owners = sharers(twin);
    if (!owners.isEmpty()) {
      order.removeAll(movers);
      order.addAll(order.indexOf(owners.getLast()) + 1, movers);
    }
    movers.forEach(s -> s.chunks.set(chunk.depth, twin));
    chunks.values().stream().filter(x -> x.parent == chunk).forEach(x -> x.parent = twin);
    chunks.remove(chunk.id);
    merges++;
  }

  private int placeBelow(List<Chunk> path, String salt) {
    for (Chunk chunk : path.reversed()) {
      List<Seq> sharers = sharers(chunk);
      if (!sharers.isEmpty()) {
        return order.indexOf(sharers.getLast()) + 1;
      }
    }
    List<Seq> tenants = order.stream().filter(s -> s.salt.equals(salt)).toList();
    return tenants.isEmpty() ? order.size() : order.indexOf(tenants.getLast()) + 1;
  }

  /** Another chunk with the same computed text. */
  private @Nullable Chunk twin(Chunk chunk) {
    int length = chunk.depth * c + chunk.ready;
    return chunks.values().stream()
        .filter(x -> x != chunk && x.salt.equals(chunk.salt) && x.depth == chunk.depth)
        .filter(x -> x.ready >= chunk.ready && common(x.text, chunk.text, length) == length)
        .findFirst()
        .orElse(null);
  }

  /** True if {@code chunk} has the {@code overlap} tokens computed that follow the whole chunks. */
  private boolean holds(
      Chunk chunk, @Nullable Chunk above, int[] prompt, int overlap, String salt) {
    int length = chunk.depth * c + overlap;
    return chunk.parent == above
        && chunk.salt.equals(salt)
        && chunk.ready >= overlap
        && common(chunk.text, prompt, length) == length;
  }

  private boolean isExtensible(Chunk chunk, int overlap) {
    return sharers(chunk).isEmpty() && chunk.text.length == chunk.depth * c + overlap;
  }

  private void release(Chunk chunk) {
    if (!isHeld(chunk)) {
      chunk.released = ++clock;
    }
  }

  private static int common(int[] a, int[] b, int limit) {
    int n = Math.min(limit, Math.min(a.length, b.length));
    int i = 0;
    while (i < n && a[i] == b[i]) {
      i++;
    }
    return i;
  }

  static void require(boolean holds, String broken) {
    if (!holds) {
      throw new AssertionError(broken);
    }
  }
}
