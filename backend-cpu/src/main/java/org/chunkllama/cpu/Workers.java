package org.chunkllama.cpu;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The backend's threads: the caller and {@code threads - 1} daemons. A job is a number of tasks;
 * threads claim them one by one from a counter, so there is no lock on the way and uneven tasks
 * balance. A job ends when its tasks have ended: nobody waits for a thread that claimed none, such
 * as one that has no core at the moment. Waiting spins briefly, then parks.
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
  private static final VarHandle JOB;

  static {
    try {
      JOB = MethodHandles.lookup().findVarHandle(Workers.class, "job", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final Thread[] threads;
  private final AtomicInteger ended = new AtomicInteger();
  private final boolean[] parked;
  private volatile @Nullable Throwable failure;
  private volatile boolean closed;
  private @Nullable Task task;
  private int tasks;

  /**
   * The job's number in the upper half, its unclaimed tasks in the lower. One word, so that a
   * thread which comes late cannot claim from the next job; written last by the caller, so that
   * claiming publishes {@link #task} and {@link #tasks}, which stay until all claimed have ended.
   */
  private volatile long job;

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
    ended.setPlain(0);
    int number = number(job) + 1; // only this thread changes it
    JOB.setVolatile(this, (long) number << Integer.SIZE | tasks);
    for (int i = 0; i < threads.length; i++) {
      if (parked[i + 1]) {
        LockSupport.unpark(threads[i]);
      }
    }
    work(number, 0);
    awaitOthers(tasks);
    Throwable thrown = failure;
    if (thrown != null) {
      failure = null;
      throw sneaky(thrown);
    }
  }

  @SuppressWarnings(
      "ThreadPriorityCheck") // a descheduled worker needs the core more than this spin does
  private void awaitOthers(int tasks) {
    int spins = 0;
    while (ended.getAcquire() != tasks) {
      if (++spins < SPINS) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
  }

  private void work(int number, int worker) {
    int finished = 0;
    for (int i = claim(number); i >= 0; i = claim(number)) {
      try {
        if (task != null) {
          task.run(i, worker);
        }
      } catch (Throwable e) {
        failure = e;
      }
      finished++;
    }
    if (finished > 0) {
      ended.getAndAdd(finished);
    }
  }

  /** Index of a task of this job; -1 if all are claimed or the job is over. */
  private int claim(int number) {
    while (true) {
      long seen = job;
      if (number(seen) != number || (int) seen == 0) {
        return -1;
      }
      if (JOB.compareAndSet(this, seen, seen - 1)) {
        return tasks - (int) seen;
      }
      Thread.onSpinWait();
    }
  }

  private static int number(long job) {
    return (int) (job >>> Integer.SIZE);
  }

  private void loop(int worker) {
    int seen = 0;
    while (true) {
      seen = awaitJob(seen, worker);
      if (closed) {
        return;
      }
      work(seen, worker);
    }
  }

  private int awaitJob(int seen, int worker) {
    int spins = 0;
    while (true) {
      int current = number(job);
      if (current != seen || closed) {
        return current;
      }
      if (++spins < SPINS) {
        Thread.onSpinWait();
      } else {
        parked[worker] = true;
        VarHandle.fullFence(); // either the caller sees the flag or this thread the new job
        if (number((long) JOB.getVolatile(this)) == seen && !closed) {
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
