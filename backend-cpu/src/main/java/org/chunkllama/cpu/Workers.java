package org.chunkllama.cpu;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The backend's threads: the caller and {@code threads - 1} daemons. A job is a number of tasks;
 * threads claim them one by one from a counter, so there is no lock on the way and uneven tasks
 * balance. Waiting spins briefly, then parks.
 *
 * <p>One thread calls {@link #run}. A {@link Task} must not call it again.
 */
final class Workers implements AutoCloseable {
  /**
   * One piece of a job. Keep instances in fields: a capturing lambda per call would allocate on the
   * hot path.
   */
  interface Task {
    /**
     * Does one piece.
     *
     * @param index which piece, [0, tasks)
     * @param worker which thread, [0, threads): index of its scratch memory
     */
    void run(int index, int worker);
  }

  private static final int SPINS = 20_000;
  private static final VarHandle EPOCH;

  static {
    try {
      EPOCH = MethodHandles.lookup().findVarHandle(Workers.class, "epoch", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final Thread[] threads;
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicInteger done = new AtomicInteger();
  private final boolean[] parked;
  private volatile @Nullable Throwable failure;
  private volatile boolean closed;
  private @Nullable Task task;
  private int tasks;

  /**
   * Job number; written last by the caller, so that reading it publishes {@link #task} and {@link
   * #tasks}.
   */
  private volatile int epoch;

  Workers(int threads) {
    this.threads = new Thread[threads - 1];
    this.parked = new boolean[threads];
    for (int i = 0; i < this.threads.length; i++) {
      int worker = i + 1;
      this.threads[i] =
          Thread.ofPlatform().daemon().name("chunkllama-cpu-" + worker).start(() -> loop(worker));
    }
  }

  /** Threads that work, the caller's included. */
  int count() {
    return threads.length + 1;
  }

  /**
   * Runs all tasks and returns when the last has ended. A task's exception is rethrown here after
   * the others have ended.
   */
  void run(int tasks, Task task) {
    if (tasks <= 1 || threads.length == 0) {
      for (int i = 0; i < tasks; i++) {
        task.run(i, 0);
      }
      return;
    }
    this.task = task;
    this.tasks = tasks;
    done.setPlain(0);
    next.setPlain(0);
    EPOCH.setVolatile(
        this, (int) EPOCH.get(this) + 1); // only this thread writes it; publishes the job
    for (int i = 0; i < threads.length; i++) {
      if (parked[i + 1]) {
        LockSupport.unpark(threads[i]);
      }
    }
    work(task, tasks, 0);
    awaitOthers();
    Throwable thrown = failure;
    if (thrown != null) {
      failure = null;
      throw sneaky(thrown);
    }
  }

  @SuppressWarnings(
      "ThreadPriorityCheck") // a descheduled worker needs the core more than this spin does
  private void awaitOthers() {
    int spins = 0;
    while (done.getAcquire() != threads.length) {
      if (++spins < SPINS) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
  }

  private void work(Task task, int tasks, int worker) {
    for (int i = next.getAndIncrement(); i < tasks; i = next.getAndIncrement()) {
      try {
        task.run(i, worker);
      } catch (Throwable e) {
        failure = e;
      }
    }
  }

  private void loop(int worker) {
    int seen = 0;
    while (true) {
      int current = awaitJob(seen, worker);
      if (closed) {
        return;
      }
      seen = current;
      Task job = task;
      if (job != null) {
        work(job, tasks, worker);
      }
      done.getAndIncrement();
    }
  }

  private int awaitJob(int seen, int worker) {
    int spins = 0;
    while (true) {
      int current = epoch;
      if (current != seen || closed) {
        return current;
      }
      if (++spins < SPINS) {
        Thread.onSpinWait();
      } else {
        parked[worker] = true;
        VarHandle.fullFence(); // either the caller sees the flag or this thread sees the new epoch
        if ((int) EPOCH.getVolatile(this) == seen && !closed) {
          LockSupport.park(this);
        }
        parked[worker] = false;
      }
    }
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <E extends Throwable> RuntimeException sneaky(Throwable e) throws E {
    throw (E) e;
  }

  @Override
  public void close() {
    closed = true;
    for (Thread thread : threads) {
      LockSupport.unpark(thread);
    }
  }
}
