package org.chunkllama.schedule;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;
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
  private final int capacity;
  private final Semaphore room;
  private final ConcurrentLinkedQueue<Consumer<Engine>> commands = new ConcurrentLinkedQueue<>();
  private final CopyOnWriteArrayList<Consumer<Engine>> watchers = new CopyOnWriteArrayList<>();
  private final AtomicLong ids = new AtomicLong();
  private final Thread thread;
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
   * capacity allows. Blocks while the queue is full.
   *
   * @return their ids
   */
  public long[] submitAll(List<EngineRequest> requests) {
    long[] all = new long[requests.size()];
    int sent = 0;
    while (sent < all.length) {
      List<EngineRequest> part = requests.subList(sent, Math.min(all.length, sent + capacity));
      room.acquireUninterruptibly(part.size());
      long first = ids.getAndAdd(part.size());
      for (int i = 0; i < part.size(); i++) {
        all[sent + i] = first + i;
      }
      sent += part.size();
      send(
          e -> {
            for (int i = 0; i < part.size(); i++) {
              e.submit(first + i, part.get(i), room::release);
            }
          },
          error -> {
            room.release(part.size());
            part.forEach(request -> request.listener().failed(error));
          });
    }
    return all;
  }

  /**
   * Computes a prefix and pins it.
   *
   * @param request its prompt and salt count; its listener hears only of failure
   * @return the pin; close it with {@link #ask}, on the engine thread
   */
  public CompletableFuture<Pin> hold(EngineRequest request) {
    room.acquireUninterruptibly();
    CompletableFuture<Pin> pin = new CompletableFuture<>();
    long id = ids.getAndIncrement();
    send(
        e -> e.hold(id, request, room::release, pin::complete),
        error -> {
          room.release();
          request.listener().failed(error);
        });
    return pin;
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
      drain(); // the thread will not: whatever is queued is refused here
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
        drain();
        if (engine.step() == 0) {
          idle();
        } else {
          showToWatchers();
        }
      }
      engine.failAll(closed());
    } catch (Throwable e) { // a broken invariant, or the JVM is out of memory: nothing can go on
      LOG.log(System.Logger.Level.ERROR, "the engine stopped", e);
      RuntimeException cause = new IllegalStateException("the engine stopped: " + e, e);
      broken = cause;
      engine.failAll(cause);
    } finally {
      ended = true;
      drain();
    }
  }

  private void drain() {
    for (Consumer<Engine> c = commands.poll(); c != null; c = commands.poll()) {
      c.accept(engine);
    }
  }

  private void idle() {
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
