package org.chunkllama.cuda;

import java.util.Arrays;
import org.chunkllama.cuda.driver.CudaContext;
import org.chunkllama.cuda.driver.CudaEvent;
import org.chunkllama.cuda.driver.CudaStream;
import org.chunkllama.cuda.driver.Owned;

/** How long the GPU stands still between the results of a step and the next step. Off at first. */
final class IdleClock implements AutoCloseable {
  private final Owned owned = new Owned();
  private final CudaContext context;
  private final CudaStream stream;
  private final CudaEvent begin;
  private final CudaEvent[] end = new CudaEvent[2]; // of this step and the one before
  private boolean on;
  private boolean begun;
  private long steps;
  private double[] micros = new double[256];
  private int count;

  IdleClock(CudaContext context, CudaStream stream) {
    this.context = context;
    this.stream = stream;
    try {
      begin = owned.add(new CudaEvent(context));
      end[0] = owned.add(new CudaEvent(context));
      end[1] = owned.add(new CudaEvent(context));
    } catch (Throwable e) {
      owned.closeAfter(e);
      throw e;
    }
  }

  /** Median since the last call, after which times are taken anew; NaN if there are none. */
  double median() {
    double[] sorted = Arrays.copyOf(micros, count);
    Arrays.sort(sorted);
    double median = count == 0 ? Double.NaN : sorted[count / 2];
    on = true;
    begun = false;
    steps = 0;
    count = 0;
    return median;
  }

  /** The first kernel of a step is next in the stream. */
  void stepBegins() {
    if (on) {
      begin.record(stream);
      begun = true;
    }
  }

  /** The results of a step are last in the stream. */
  void stepEnds() {
    if (on) {
      end[(int) (steps % 2)].record(stream);
    }
  }

  /** The stream has passed the end of the step. */
  void passed() {
    if (on && begun) {
      if (steps > 0) {
        add(begin.microsSince(end[(int) ((steps - 1) % 2)]));
      }
      begun = false;
      steps++;
    }
  }

  private void add(double time) {
    if (count == micros.length) {
      micros = Arrays.copyOf(micros, 2 * count);
    }
    micros[count++] = time;
  }

  @Override
  public void close() {
    context.bind();
    owned.close();
  }
}
