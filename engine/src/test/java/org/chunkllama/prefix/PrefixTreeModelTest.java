package org.chunkllama.prefix;

import static org.chunkllama.prefix.NaiveTree.require;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.chunkllama.error.PoolExhaustedException;
import org.chunkllama.prefix.NaiveTree.Chunk;
import org.chunkllama.prefix.NaiveTree.Copy;
import org.chunkllama.prefix.NaiveTree.Hold;
import org.chunkllama.prefix.NaiveTree.Seq;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The tree against {@link NaiveTree} under 100,000 random operations. After each one: the whole
 * state equals the model's, every invariant holds, and a simulated KV cache still holds, for every
 * computed token of every sequence, the value of exactly that sequence's prefix.
 */
class PrefixTreeModelTest {
  private static final long POISON = 0xDEAD_DEAD_DEADL;

  private record OpenPin(Pin pin, @Nullable Hold hold) {}

  private final List<Copy> copies = new ArrayList<>();
  private final List<int[]> texts = new ArrayList<>(); // prompts and outputs to begin like
  private final List<Sequence> live = new ArrayList<>();
  private final List<OpenPin> pins = new ArrayList<>();
  private PrefixTree tree = new PrefixTree(1, 1, this::copy, () -> 0, true);
  private NaiveTree model = new NaiveTree(1, 1);
  private long[][] kv = {{}};
  private Random random = new Random();
  private int alphabet;
  private int exhausted;
  private int copied;

  @ParameterizedTest
  @CsvSource({
    // seed, chunks, chunkTokens, alphabet, bits of hashes used, operations
    "1, 24, 4, 2, -1, 25000",
    "2, 10, 3, 2, -1, 20000",
    "3, 30, 4, 3, -1, 15000",
    "4, 16, 1, 2, -1, 10000",
    "5, 30, 8, 1, -1, 10000",
    "6, 30, 2, 2, 0, 10000",
    "7, 20, 4, 3, 1, 10000"
  })
  void behavesLikeTheModel(
      long seed, int chunks, int chunkTokens, int alphabet, int hashMask, int operations) {
    run(seed, chunks, chunkTokens, alphabet, hashMask, operations);
    PrefixStats stats = tree.stats();
    require(stats.chunksEvicted() > 50 && stats.chunksMerged() > 30, "too tame: " + stats);
    require(exhausted > 50 && (copied > 100 || chunkTokens == 1), "too tame: " + exhausted);
  }

  void run(long seed, int chunks, int chunkTokens, int alphabet, int hashMask, int operations) {
    this.alphabet = alphabet;
    random = new Random(seed);
    model = new NaiveTree(chunks, chunkTokens);
    tree = new PrefixTree(chunks, chunkTokens, this::copy, () -> model.now, true, hashMask);
    kv = new long[chunks][chunkTokens];
    for (long[] chunk : kv) {
      Arrays.fill(chunk, POISON);
    }
    String operation = "";
    for (int i = 0; i < operations; i++) {
      try {
        copies.clear();
        operation = step();
        verify();
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("operation " + i + ": " + operation + ": " + e.getMessage(), e);
      }
    }
  }

  private String step() {
    int dice = random.nextInt(live.size() > 7 ? 110 : 100); // remove more where there is much
    if (live.isEmpty() || dice < 20) {
      return insert();
    } else if (dice < 44) {
      return append(any(live));
    } else if (dice < 70) {
      return compute(any(live));
    } else if (dice < 75) {
      return fork(any(live));
    } else if (dice < 78) {
      return pins.size() < 4 ? pin() : unpin();
    } else if (dice < 82) {
      return unpin();
    } else if (dice < 84) {
      model.now += random.nextInt(20);
      return "time passes";
    } else if (dice < 87) {
      return match();
    } else {
      return remove(any(live));
    }
  }

  private String insert() {
    int[] prompt = prompt();
    String salt = salt();
    model.dropExpired();
    boolean fits = model.needed(prompt, salt) <= model.availableFor(prompt, salt);
    Match match = tree.match(prompt, prompt.length, salt);
    try {
      Sequence s = tree.insert(prompt, prompt.length, salt);
      require(fits, "inserted without room");
      require(s.reused() <= match.readyTokens(), "reused more than matched");
      model.insert(s.id(), prompt, salt, s.chunkIds(), copies, s.reused());
      live.add(s);
    } catch (PoolExhaustedException e) {
      require(!fits, "no room: " + e.getMessage());
      exhausted++;
    }
    return "insert " + Arrays.toString(prompt) + salt;
  }

  private String append(Sequence s) {
    Seq twin = model(s);
    int token = random.nextInt(alphabet);
    if (model.free() == 0) {
      model.dropExpired();
    }
    boolean fits = !model.needsChunk(twin) || model.available() > 0;
    try {
      tree.append(s, token);
      require(fits, "appended without room");
      model.append(twin, token, s.chunkIds()[s.chunkCount() - 1]);
    } catch (PoolExhaustedException e) {
      require(!fits, "no room: " + e.getMessage());
      exhausted++;
    }
    return "append to " + s;
  }

  private String compute(Sequence s) {
    int more = s.length() - s.computed();
    int tokens = s.computed() + (random.nextInt(3) == 0 ? random.nextInt(more + 1) : more);
    for (int i = s.computed(); i < tokens; i++) {
      kv[s.chunkIds()[i / model.c]][i % model.c] = value(s, i);
    }
    tree.computed(s, tokens);
    model.computed(model(s), tokens);
    return "computed " + s;
  }

  private String fork(Sequence s) {
    Sequence t = tree.fork(s);
    model.fork(model(s), t.id());
    live.add(t);
    return "fork " + s;
  }

  private String remove(Sequence s) {
    String what = "remove " + s;
    texts.add(s.tokens());
    model.remove(model(s));
    tree.remove(s);
    live.remove(s);
    return what;
  }

  private String pin() {
    int[] prompt = prompt();
    String salt = salt();
    long ttl = random.nextInt(30);
    model.dropExpired();
    Pin pin = tree.pin(prompt, prompt.length, salt, ttl);
    int whole = model.wholePath(prompt, prompt.length, salt).size();
    require(pin.tokens() == whole * model.c, "pinned " + pin.tokens());
    pins.add(new OpenPin(pin, model.pin(prompt, salt, ttl)));
    return "pin " + Arrays.toString(prompt) + salt;
  }

  private String unpin() {
    if (!pins.isEmpty()) {
      OpenPin open = pins.remove(random.nextInt(pins.size()));
      open.pin().close();
      open.pin().close();
      if (open.hold() != null) {
        model.unpin(open.hold());
      }
    }
    return "unpin";
  }

  private String match() {
    int[] prompt = prompt();
    String salt = salt();
    int limit = prompt.length - 1;
    Match match = tree.match(prompt, prompt.length, salt);
    int ready = model.ready(prompt, limit, salt);
    int pending = model.pending(prompt, limit, salt);
    require(match.equals(new Match(ready, pending)), match + ", not " + ready + ", " + pending);
    int spare = random.nextInt(3);
    model.dropExpired();
    boolean fits = model.needed(prompt, salt) + spare <= model.availableFor(prompt, salt);
    require(tree.canInsert(prompt, prompt.length, salt, spare) == fits, "canInsert");
    require(tree.available() == model.available(), "available");
    return "match " + Arrays.toString(prompt) + salt;
  }

  /** Often begins like an earlier text or a live sequence. */
  private int[] prompt() {
    int[] start = {};
    int kind = random.nextInt(4);
    if (kind == 0 && !texts.isEmpty()) {
      start = any(texts);
    } else if (kind <= 2 && !live.isEmpty()) {
      start = any(live).tokens();
    }
    int kept = random.nextInt(3) == 0 ? start.length : random.nextInt(start.length + 1);
    int[] prompt = Arrays.copyOf(start, kept + 1 + random.nextInt(random.nextBoolean() ? 2 : 12));
    for (int i = kept; i < prompt.length; i++) {
      prompt[i] = random.nextInt(alphabet);
    }
    int longest = model.c * model.total / 3;
    prompt = Arrays.copyOf(prompt, Math.min(prompt.length, 1 + longest));
    texts.add(prompt);
    if (texts.size() > 30) {
      texts.remove(random.nextInt(texts.size()));
    }
    return prompt;
  }

  private String salt() {
    return random.nextInt(5) == 0 ? "other tenant" : "";
  }

  private <T> T any(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  private Seq model(Sequence s) {
    return model.order.stream().filter(x -> x.id == s.id()).findFirst().orElseThrow();
  }

  private void copy(int from, int to, int slots) {
    copies.add(new Copy(from, to, slots));
    copied++;
    System.arraycopy(kv[from], 0, kv[to], 0, slots);
  }

  /** What a model would compute for token i: it depends on the tenant and all tokens up to it. */
  private static long value(Sequence s, int i) {
    long hash = s.salt().hashCode();
    for (int j = 0; j <= i; j++) {
      hash = hash * 6364136223846793005L + s.token(j) + 1442695040888963407L;
    }
    return hash;
  }

  private void verify() {
    tree.check();
    verifyOrderAndValues();
    verifyChunks();
    require(tree.chunksFree() == model.free(), "free");
    require(
        tree.chunksFree() + tree.chunksLive() + tree.chunksRetained() == tree.chunksTotal(),
        "accounting");
    require(tree.stats().chunksEvicted() == model.evictions, "evictions");
    require(tree.stats().chunksMerged() == model.merges, "merges");
  }

  private void verifyOrderAndValues() {
    Sequence s = tree.firstInOrder();
    int unshared = 0;
    for (Seq expected : model.order) {
      Sequence actual = Objects.requireNonNull(s, "sequence lost");
      require(actual.id() == expected.id, "order");
      require(Arrays.equals(actual.tokens(), expected.tokens), "tokens");
      require(actual.computed() == expected.computed, "computed");
      require(actual.chunkCount() == expected.chunks.size(), "chunk count");
      for (int i = 0; i < actual.chunkCount(); i++) {
        require(actual.chunkIds()[i] == expected.chunks.get(i).id, "chunk ids");
      }
      long hash = actual.salt().hashCode();
      for (int i = 0; i < actual.computed(); i++) {
        hash = hash * 6364136223846793005L + actual.token(i) + 1442695040888963407L;
        require(kv[actual.chunkIds()[i / model.c]][i % model.c] == hash, "value of a token");
      }
      unshared += actual.chunkCount();
      s = actual.next();
    }
    require(s == null && tree.sequences() == model.order.size(), "sequence too many");
    require(tree.chunksLiveUnshared() == unshared, "unshared");
  }

  private void verifyChunks() {
    for (int id = 0; id < model.total; id++) {
      Chunk expected = model.chunks.get(id);
      Node actual = tree.store.nodes[id];
      if (expected == null) {
        require(tree.store.pool.isFree(id), "a chunk should be free");
        Arrays.fill(kv[id], POISON);
        continue;
      }
      int[] text = expected.text;
      int from = expected.depth * model.c;
      require(!tree.store.pool.isFree(id), "a chunk should not be free");
      require(actual.depth == expected.depth && actual.ready == expected.ready, "ready of a chunk");
      require(
          Arrays.equals(actual.tokens, 0, actual.count, text, from, text.length),
          "text of a chunk");
      require(
          expected.parent == null
              ? actual.parent.isRoot()
              : actual.parent.chunk == expected.parent.id,
          "parent of a chunk");
      require(actual.pins == expected.pins, "pins of a chunk");
    }
  }
}
