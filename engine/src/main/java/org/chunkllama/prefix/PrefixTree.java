package org.chunkllama.prefix;

import java.util.function.LongSupplier;
import org.chunkllama.error.PoolExhaustedException;
import org.jspecify.annotations.Nullable;

/**
 * Notices at run time which sequences begin with the same tokens, and lets them share the chunks of
 * their keys and values. Knows token ids and chunk ids only; the bytes are a KV cache's. Belongs to
 * one thread.
 *
 * <p><b>Shape.</b> One tree for all layers, with a root per tenant (salt). A node is one chunk: up
 * to {@code chunkTokens} token ids. Inner nodes are full, so token i of a sequence stands in chunk
 * {@code i / chunkTokens} of its path. A partly filled chunk is a leaf with one writer; after a
 * fork it is shared until a first write copies it. Siblings may begin alike, but no two hold the
 * same full chunk computed: when a chunk becomes the equal of a sibling, its sequences move over
 * and it is freed. Live sequences are linked in depth-first order, so those below a node are
 * neighbours: every node covers one contiguous range of rows.
 *
 * <p><b>Ownership.</b> A chunk is free, live (sequences run through it) or retained (kept for
 * later): free + live + retained = total, always. A chunk is in the tree from the moment it is
 * allocated; its tokens are <i>in flight</i> until {@link #computed} makes them <i>ready</i>. Only
 * ready tokens are shared or copied, and a ready slot is not written again, with one exception:
 * forks made with tokens in flight each compute those, to the same values.
 *
 * <p><b>Eviction.</b> When the last sequence leaves a chunk, what it holds ready stays, evictable;
 * what is in flight is dropped. Victims are leaves, least recently used first, so a parent outlives
 * its children. An insert never evicts the path that it matched, nor the chunk that it copies from.
 * Pins hold whole ready chunks, for a time or until closed; those that ran out are dropped when
 * room is next asked for.
 *
 * <p><b>Cost per operation.</b> match, insert and pin: linear in the prompt, however many siblings
 * there are (match also follows every sequence that has the same tokens in flight). append:
 * amortised O(1); the first write after a fork copies one chunk. computed: O(1) per token; a merge
 * costs the merged chunk's sequences. fork and remove: the chunks of the sequence, and per chunk
 * that they free its tokens. Eviction: O(1) per chunk and its tokens, no scan. Nothing is rebuilt
 * per step and nothing is allocated per token; nodes are made at start and recycled.
 *
 * <p><b>Paper.</b> ChunkAttention, arXiv 2402.15220, section 3.1, the prefix-aware KV cache. Beyond
 * it: partial matches, retention, pins, tenants, tokens in flight, forks, and stable ids.
 */
public final class PrefixTree {
  /** Root of tenants that have nothing in the tree. */
  private final Node nowhere = Node.root("");

  /** Takes what nobody asked to have counted. */
  private final ChunkUsage uncounted = new ChunkUsage();

  final ChunkStore store;
  private final PinTable pins;
  private final PrefixWalk walk;
  private final Paths paths;

  /**
   * An empty tree, all chunks free.
   *
   * @param chunks chunks of the KV cache, 1 or more
   * @param chunkTokens tokens per chunk, c
   * @param copier copies K and V from one chunk to another
   * @param nanoTime the clock for pins: {@code System::nanoTime}
   * @param sharing false: sequences share nothing, nothing is matched or retained, a fork copies
   */
  public PrefixTree(
      int chunks, int chunkTokens, ChunkCopier copier, LongSupplier nanoTime, boolean sharing) {
    this(chunks, chunkTokens, copier, nanoTime, sharing, -1);
  }

  /** For tests: uses only some bits of hashes, so that they collide. */
  PrefixTree(
      int chunks,
      int chunkTokens,
      ChunkCopier copier,
      LongSupplier nanoTime,
      boolean sharing,
      int hashMask) {
    store = new ChunkStore(chunks, chunkTokens, sharing, hashMask);
    pins = new PinTable(store, nanoTime);
    walk = new PrefixWalk(store);
    paths = new Paths(store, copier);
  }

  /**
   * How much of the prompt {@code tokens[0, count)} is cached or under way. Changes nothing. An
   * insert right after reuses the ready tokens (if only the very last chunk of the pool is left,
   * perhaps not those inside a chunk).
   */
  public Match match(int[] tokens, int count, String salt) {
    checkPrompt(tokens, count);
    Node root = find(tokens, count - 1, salt);
    return new Match(walk.readyTokens(), walk.pending(root, tokens, count - 1));
  }

  /**
   * Whether {@link #insert} of this prompt has room and would leave {@code spare} chunks available.
   * Drops expired pins.
   */
  public boolean canInsert(int[] tokens, int count, String salt, int spare) {
    checkPrompt(tokens, count);
    pins.dropExpired();
    find(tokens, count - 1, salt);
    int needed = store.chunksFor(count) - walk.chunks;
    return (long) needed + spare <= paths.availableBeside(walk.node);
  }

  /**
   * Adds a sequence with the tokens {@code [0, count)} of {@code tokens}. Shares the whole ready
   * chunks of its longest ready prefix, copies what is ready of the next one, and takes all other
   * chunks now, evicting if need be. At most {@code count - 1} tokens come out computed: the last
   * one is computed in any case, for its logits. Its place in the order is behind the last sequence
   * of its deepest shared chunk.
   *
   * @param salt the tenant; "" if there is only one
   * @throws PoolExhaustedException if there is no room even after eviction; then nothing changed
   */
  public Sequence insert(int[] tokens, int count, String salt) {
    return insert(tokens, count, salt, uncounted);
  }

  /**
   * The same, and counts the chunks.
   *
   * @param usage what the sequence and its forks hold is added here
   */
  public Sequence insert(int[] tokens, int count, String salt, ChunkUsage usage) {
    checkPrompt(tokens, count);
    pins.dropExpired();
    find(tokens, count - 1, salt);
    return paths.insert(walk, tokens, count, salt, usage);
  }

  /** Chunks that {@link #insert} of this prompt would hold and nobody holds now. */
  public int newlyHeld(int[] tokens, int count, String salt) {
    checkPrompt(tokens, count);
    find(tokens, count - 1, salt);
    return paths.newlyHeld(walk, count);
  }

  /**
   * Adds a token, in flight, to the end of a sequence. May change the order, if the sequence was
   * forked and this is the first write since.
   *
   * @throws PoolExhaustedException if it takes a chunk and none is left; then nothing changed
   */
  public void append(Sequence s, int token) {
    checkLive(s);
    if (store.pool.free() == 0) {
      pins.dropExpired();
    }
    paths.append(s, token);
  }

  /**
   * Says that K and V of the first {@code tokens} tokens are in their slots. A chunk that this
   * completes may turn out to equal one that is there already: then the sequence continues on that
   * one, which changes its {@link Sequence#chunkIds} and may change the order. So take the
   * sequences of a batch from the order first, then call this for each.
   *
   * @param tokens at least {@link Sequence#computed}, at most {@link Sequence#length}
   */
  public void computed(Sequence s, int tokens) {
    checkLive(s);
    if (tokens < s.computed() || tokens > s.length()) {
      throw new IllegalArgumentException(s + " cannot have " + tokens + " tokens computed");
    }
    paths.advance(s, tokens);
  }

  /**
   * Adds a sequence with the same tokens, next in order. All chunks are shared; the last one, if
   * partly filled, is copied at the first {@link #append} of all but the last of its sequences.
   *
   * @throws PoolExhaustedException only if sharing is off, when all chunks are copied
   */
  public Sequence fork(Sequence s) {
    checkLive(s);
    return paths.fork(s);
  }

  /**
   * Ends a sequence. Of the chunks that nobody else shares, what is computed is retained for later
   * prompts, the rest freed.
   */
  public void remove(Sequence s) {
    checkLive(s);
    paths.remove(s);
  }

  /**
   * Keeps from eviction what is cached and computed now of the tokens {@code [0, count)}: whole
   * chunks only, see {@link Pin#tokens}. To pin a prefix that is not cached, insert and compute it
   * first; it may be removed once pinned. With sharing off there is nothing to pin.
   *
   * @param ttlNanos time to live; 0 = until closed
   */
  public Pin pin(int[] tokens, int count, String salt, long ttlNanos) {
    return pin(tokens, count, salt, ttlNanos, uncounted);
  }

  /** The same, and counts the chunks: what nothing held before is added to {@code usage}. */
  public Pin pin(int[] tokens, int count, String salt, long ttlNanos, ChunkUsage usage) {
    checkPrompt(tokens, count);
    pins.dropExpired();
    find(tokens, count, salt);
    return pins.open(walk.node, ttlNanos, usage);
  }

  /** Chunks that are free or can be evicted now. Drops expired pins. */
  public int available() {
    pins.dropExpired();
    return store.available();
  }

  /**
   * Guesses the chunks that the next appends will take, those that need one, one after the other:
   * right if nothing else happens to the tree before. Changes nothing.
   *
   * @param ids gets them, {@code [count]}
   * @return false if there are not so many
   */
  public boolean upcomingChunks(int[] ids, int count) {
    return store.upcoming(ids, count);
  }

  /**
   * First live sequence in depth-first order, {@link Sequence#next} leads on; null if there is
   * none.
   */
  public @Nullable Sequence firstInOrder() {
    return paths.order.first;
  }

  /** Live sequences. */
  public int sequences() {
    return paths.order.size;
  }

  /** Changes whenever the order of the live sequences, or the chunk ids of one, change. */
  public long version() {
    return paths.version;
  }

  /** Tokens per chunk, c. */
  public int chunkTokens() {
    return store.chunkTokens;
  }

  /** Chunks of the pool: free + live + retained. */
  public int chunksTotal() {
    return store.pool.total();
  }

  /** Chunks with nothing in them. */
  public int chunksFree() {
    return store.pool.free();
  }

  /** Chunks that live sequences run through. */
  public int chunksLive() {
    return store.live();
  }

  /** Chunks kept for later, evictable unless pinned. */
  public int chunksRetained() {
    return store.retained();
  }

  /** Chunks that the live sequences would take if they shared nothing. */
  public int chunksLiveUnshared() {
    return paths.counters.unshared;
  }

  /** Chunks that two or more live sequences run through. */
  public int chunksShared() {
    return store.shared();
  }

  /** Live sequences through shared chunks, summed over those chunks. */
  public int sharedRows() {
    return store.sharedRows();
  }

  /** Most chunks live at once. */
  public int chunksLivePeak() {
    return stats().chunksLivePeak();
  }

  public PrefixStats stats() {
    return paths.counters.stats(store.evictions());
  }

  /**
   * The tree for drawing. Costs as much as the tree is large.
   *
   * @param withTokens whether nodes carry their token ids
   */
  public TreeSnapshot snapshot(boolean withTokens) {
    return SnapshotBuilder.build(store, paths.order, withTokens);
  }

  /**
   * Verifies every invariant named above; costs as much as the tree is large. For tests and idle
   * times.
   *
   * @throws IllegalStateException if one is broken, saying which
   */
  public void check() {
    new TreeChecker(store, paths, pins).check();
  }

  private Node find(int[] tokens, int limit, String salt) {
    Node root = store.roots.getOrDefault(salt, nowhere);
    walk.find(root, tokens, limit);
    return root;
  }

  private static void checkPrompt(int[] tokens, int count) {
    if (count < 1 || count > tokens.length) {
      throw new IllegalArgumentException(
          "a prompt has 1 to " + tokens.length + " tokens, not " + count);
    }
  }

  private void checkLive(Sequence s) {
    if (s.store != store) {
      throw new IllegalArgumentException(s + " belongs to another tree");
    }
    if (s.isRemoved()) {
      throw new IllegalStateException(s + " was removed");
    }
  }
}
