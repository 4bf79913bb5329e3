package org.chunkllama.schedule;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;
import org.chunkllama.error.ChunkLlamaException;
import org.chunkllama.error.ContextLengthException;
import org.chunkllama.error.DeviceException;
import org.chunkllama.error.DeviceLostException;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.error.QueueFullException;
import org.chunkllama.error.ShuttingDownException;
import org.chunkllama.error.TenantLimitException;
import org.chunkllama.prefix.Pin;
import org.jspecify.annotations.Nullable;

/**
 * The one thread that owns an engine. Others send it commands through a queue; it runs them between
 * steps. The queue is bounded in requests: submitting more than its capacity that are not yet
 * running blocks.
 *
 * <p>Idle for {@value #CHECK_AFTER_MILLIS} ms it verifies the engine's invariants once, then parks.
 */
public final class EngineLoop implements AutoCloseable {
  static final long CHECK_AFTER_MILLIS = 200;

  private static final System.Logger LOG = System.getLogger(EngineLoop.class.getName());

  private final Engine engine;
  private final Tenants tenants;
  private final int capacity;
  private final Semaphore room;
  private final ConcurrentLinkedQueue<Consumer<Engine>> commands = new ConcurrentLinkedQueue<>();
  private final CopyOnWriteArrayList<Consumer<Engine>> watchers = new CopyOnWriteArrayList<>();
  private final AtomicLong ids = new AtomicLong();
  private final Thread thread;
  private final CompletableFuture<Boolean> drained = new CompletableFuture<>();
  private volatile boolean draining;
  private volatile boolean closing;
  private volatile boolean parked;
  private volatile boolean ended;
  private volatile @Nullable RuntimeException broken;

  /**
   * Starts the thread.
   *
   * @param engine not touched by anybody else from now on
   * @param queueCapacity most requests that wait, 1 or more
   */
  public EngineLoop(Engine engine, int queueCapacity) {
    this.engine = engine;
    this.tenants = engine.tenants();
    this.capacity = queueCapacity;
    this.room = new Semaphore(queueCapacity, true);
    this.thread = Thread.ofPlatform().name("chunkllama-engine").daemon(true).unstarted(this::run);
    thread.start();
  }

  /**
   * Sends a request; blocks while the queue is full.
   *
   * @return its id, for {@link #cancel}
   */
  public long submit(EngineRequest request) {
    return submitAll(List.of(request))[0];
  }

  /**
   * Sends requests that enter the engine together, before its next step, as far as the queue's
   * capacity allows. Blocks while the queue is full. One that its tenant has no room for fails.
   *
   * @return their ids
   */
  public long[] submitAll(List<EngineRequest> requests) {
    long[] all = new long[requests.size()];
    int sent = 0;
    while (sent < all.length) {
      List<EngineRequest> part = requests.subList(sent, Math.min(all.length, sent + capacity));
      room.acquireUninterruptibly(part.size());
      List<Sent> batch = new ArrayList<>(part.size());
      for (EngineRequest request : part) {
        all[sent++] = admit(request, batch);
      }
      send(batch);
    }
    return all;
  }

  /** A request with a place in the queue, on its way to the engine. */
  private record Sent(long id, EngineRequest request, Ticket ticket) {
    void refuse(RuntimeException error) {
      ticket.end();
      request.listener().failed(error);
    }
  }

  /** Takes a ticket, where there is room in the queue for it already, or fails the request. */
  private long admit(EngineRequest request, List<Sent> to) {
    long id = ids.getAndIncrement();
    try {
      checkAccepting();
      to.add(new Sent(id, request, Ticket.take(tenants, request, room::release)));
    } catch (ChunkLlamaException e) {
      room.release();
      request.listener().failed(e);
    }
    return id;
  }

  /**
   * Sends requests that enter the engine together, or none of them. Never blocks.
   *
   * @return their ids
   * @throws QueueFullException if not all of them have room in the queue now
   * @throws InvalidRequestException if they are more than the queue, or their tenant's part, ever
   *     holds
   * @throws ContextLengthException if a prompt is longer than its tenant's share of the pool
   * @throws TenantLimitException if a tenant has no room for its own
   * @throws ShuttingDownException if no more are taken
   */
  public long[] trySubmitAll(List<EngineRequest> requests) {
    List<Sent> batch = tryAdmit(requests);
    send(batch);
    return batch.stream().mapToLong(Sent::id).toArray();
  }

  private List<Sent> tryAdmit(List<EngineRequest> requests) {
    checkAccepting();
    if (requests.size() > capacity) {
      throw new InvalidRequestException(
          "%d prompts at once, the queue holds %d; send fewer, or make it longer (--max-queue)"
              .formatted(requests.size(), capacity));
    }
    tenants.checkTogether(requests);
    if (!room.tryAcquire(requests.size())) {
      throw new QueueFullException(
          "%d requests wait, as many as may; try again later"
              .formatted(capacity - room.availablePermits()));
    }
    List<Sent> batch = new ArrayList<>(requests.size());
    try {
      for (EngineRequest request : requests) {
        Ticket ticket = Ticket.take(tenants, request, room::release);
        batch.add(new Sent(ids.getAndIncrement(), request, ticket));
      }
    } catch (ChunkLlamaException e) {
      batch.forEach(sent -> sent.ticket().end());
      room.release(requests.size() - batch.size());
      throw e;
    }
    return batch;
  }

  private void send(List<Sent> batch) {
    send(
        e -> batch.forEach(sent -> e.submit(sent.id(), sent.request(), sent.ticket())),
        error -> batch.forEach(sent -> sent.refuse(error)));
  }

  /**
   * Computes a prefix and pins it. Blocks while the queue is full.
   *
   * @param request its prompt, salt and terms count; its listener hears only of failure
   * @param ttlNanos how long it stays; 0 = until closed
   * @param pinned gets the pin, on the engine thread, where it is to be closed too ({@link #ask})
   */
  public void hold(EngineRequest request, long ttlNanos, Consumer<Pin> pinned) {
    room.acquireUninterruptibly();
    List<Sent> one = new ArrayList<>(1);
    admit(request, one);
    one.forEach(sent -> sendHold(sent, ttlNanos, pinned));
  }

  /**
   * The same if there is room for it now. Never blocks.
   *
   * @return its id, for {@link #cancel}
   * @throws ChunkLlamaException as {@link #trySubmitAll}
   */
  public long tryHold(EngineRequest request, long ttlNanos, Consumer<Pin> pinned) {
    Sent sent = tryAdmit(List.of(request)).getFirst();
    sendHold(sent, ttlNanos, pinned);
    return sent.id();
  }

  private void sendHold(Sent sent, long ttlNanos, Consumer<Pin> pinned) {
    send(e -> e.hold(sent.id(), sent.request(), sent.ticket(), ttlNanos, pinned), sent::refuse);
  }

  /** Ends a request between two steps. */
  public void cancel(long id) {
    send(e -> e.cancel(id), _ -> {});
  }

  /** Runs {@code question} between two steps; fails if the engine is closed. */
  public <T> CompletableFuture<T> ask(Function<Engine, T> question) {
    CompletableFuture<T> answer = new CompletableFuture<>();
    send(
        e -> {
          try {
            answer.complete(question.apply(e));
          } catch (RuntimeException failure) {
            answer.completeExceptionally(failure);
          }
        },
        answer::completeExceptionally);
    return answer;
  }

  /**
   * Shows the engine to {@code watcher} after every step, on the engine thread, until the returned
   * action has run (from another thread). A watcher that throws is logged and sees no more.
   */
  public Runnable watch(Consumer<Engine> watcher) {
    watchers.add(watcher);
    return () -> {
      watchers.remove(watcher);
      ask(_ -> true).exceptionally(_ -> false).join(); // the step it may be looking at is over
    };
  }

  private void showToWatchers() {
    for (Consumer<Engine> watcher : watchers) {
      try {
        watcher.accept(engine);
      } catch (RuntimeException e) {
        LOG.log(System.Logger.Level.WARNING, "a watcher of the engine failed and is removed", e);
        watchers.remove(watcher);
      }
    }
  }

  /** Who may take how much. */
  public Tenants tenants() {
    return tenants;
  }

  /** False once it drains, is closed or broken. */
  public boolean isAccepting() {
    return !draining && whyClosed() == null;
  }

  /** False once it is closed or broken. */
  public boolean isRunning() {
    return whyClosed() == null;
  }

  private void checkAccepting() {
    if (draining) {
      throw new ShuttingDownException("shutting down: no new requests are taken");
    }
  }

  /**
   * Takes no more requests and waits for those that it has; whatever is left at the limit fails.
   *
   * @return true if all ended by themselves
   */
  public boolean drain(Duration limit) {
    draining = true;
    var _ = ask(_ -> true); // wakes the thread if it is idle
    try {
      return drained.get(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException | ExecutionException e) {
      failRest(limit);
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      failRest(limit);
      return false;
    }
  }

  private void failRest(Duration limit) {
    send(
        e ->
            e.failAll(
                new ShuttingDownException(
                    "shutting down: the answer did not end within %d s"
                        .formatted(limit.toSeconds()))),
        _ -> {});
  }

  /** Queues a command; {@code refused} runs instead, on either thread, if it cannot be run. */
  private void send(Consumer<Engine> command, Consumer<RuntimeException> refused) {
    commands.add(e -> {
      RuntimeException why = whyClosed();
      if (why == null) {
        command.accept(e);
      } else {
        refused.accept(why);
      }
    });
    if (ended) {
      runCommands(); // the thread will not: whatever is queued is refused here
    } else if (parked) {
      LockSupport.unpark(thread);
    }
  }

  private @Nullable RuntimeException whyClosed() {
    RuntimeException cause = broken;
    return cause != null ? cause : closing ? closed() : null;
  }

  private static RuntimeException closed() {
    return new IllegalStateException("the model is closed");
  }

  private void run() {
    try {
      while (!closing) {
        runCommands();
        if (engine.step() == 0) {
          idle();
        } else {
          showToWatchers();
        }
      }
      engine.failAll(closed());
    } catch (Throwable e) { // a broken invariant, no memory or device left: nothing can go on
      LOG.log(System.Logger.Level.ERROR, "the engine stopped", e);
      RuntimeException cause =
          switch (e) {
            case DeviceLostException lost -> lost;
            case DeviceException fault -> // outside a step: nobody's in particular
                new DeviceLostException(String.valueOf(fault.getMessage()), fault);
            default -> new IllegalStateException("the engine stopped: " + e, e);
          };
      broken = cause;
      engine.failAll(cause);
    } finally {
      ended = true;
      drained.complete(false);
      runCommands();
    }
  }

  private void runCommands() {
    for (Consumer<Engine> c = commands.poll(); c != null; c = commands.poll()) {
      c.accept(engine);
    }
  }

  private void idle() {
    if (draining && engine.isIdle()) {
      drained.complete(true);
    }
    if (!await(TimeUnit.MILLISECONDS.toNanos(CHECK_AFTER_MILLIS))) {
      engine.check();
      await(Long.MAX_VALUE);
    }
  }

  /** Waits for a command; false if none came in time. */
  private boolean await(long nanos) {
    long deadline = nanos == Long.MAX_VALUE ? Long.MAX_VALUE : System.nanoTime() + nanos;
    parked = true;
    try {
      while (commands.isEmpty() && !closing) {
        if (deadline == Long.MAX_VALUE) {
          LockSupport.park(this);
        } else {
          long left = deadline - System.nanoTime();
          if (left <= 0) {
            return false;
          }
          LockSupport.parkNanos(this, left);
        }
      }
      return true;
    } finally {
      parked = false;
    }
  }

  /** Fails what runs, ends the thread and waits for that. */
  @Override
  public void close() {
    closing = true;
    LockSupport.unpark(thread);
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException _) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
