package org.chunkllama.cuda;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.chunkllama.cuda.driver.CudaEvent;
import org.chunkllama.cuda.driver.CudaGraph;
import org.chunkllama.cuda.driver.OutOfDeviceMemoryException;
import org.chunkllama.cuda.driver.Owned;
import org.chunkllama.spi.KvCache;
import org.jspecify.annotations.Nullable;

/**
 * Decode steps as CUDA graphs, one per number of rows. The first step of a number runs as it is
 * (kernels are compiled, algorithms chosen, memory taken), the second is recorded, later ones are
 * repeated by one call. When memory that was recorded is freed, all graphs are dropped. Where the
 * GPU has no room for a graph the others are dropped; where that does not help, steps run as they
 * are.
 */
final class StepGraphs implements AutoCloseable {
  /** More rows than this are mostly prefill: launches cost little beside their work. */
  private static final int ROWS_MAX = 1024;

  /** Numbers of rows that are kept; a server's batch takes few of them for long. */
  private static final int GRAPHS_MAX = 256;

  /** Off for profilers, which see single kernels then. */
  private static final boolean ENABLED =
      Boolean.parseBoolean(System.getProperty("chunkllama.cuda.graphs", "true"));

  private static final System.Logger LOG = System.getLogger(StepGraphs.class.getName());

  private record Key(Object owner, KvCache cache, int rows, int outputs) {
    @Override
    public boolean equals(Object other) {
      return other instanceof Key(Object owner, KvCache cache, int rows, int outputs)
          && isOf(owner, cache, rows, outputs);
    }

    @SuppressWarnings("ReferenceEquality") // the same model and cache are meant
    boolean isOf(Object owner, KvCache cache, int rows, int outputs) {
      return this.owner == owner
          && this.cache == cache
          && this.rows == rows
          && this.outputs == outputs;
    }

    @Override
    public int hashCode() {
      int hash = System.identityHashCode(owner) * 31 + System.identityHashCode(cache);
      return (hash * 31 + rows) * 31 + outputs;
    }
  }

  private final CudaDevice device;
  private final Map<Key, CudaGraph> graphs = new HashMap<>();
  private final Set<Key> warm = new HashSet<>();
  private final Set<Key> tooLarge = new HashSet<>();
  private @Nullable Key last; // most often that of the next step too
  private long generation;

  StepGraphs(CudaDevice device) {
    this.device = device;
  }

  /** Runs the operations or repeats them; inputs are on the GPU. */
  void run(Object owner, KvCache cache, int rows, int outputs, Runnable operations) {
    if (!ENABLED || outputs < rows || rows > ROWS_MAX) {
      operations.run(); // a step with prefill: no two are alike
      return;
    }
    if (generation != device.generation()) {
      clear();
      tooLarge.clear();
    }
    Key key = last;
    if (key == null || !key.isOf(owner, cache, rows, outputs)) {
      key = new Key(owner, cache, rows, outputs);
      last = key;
    }
    CudaGraph graph = graphs.get(key);
    if (graph == null) {
      graph = warm.contains(key) && !tooLarge.contains(key) ? recorded(key, operations) : null;
      if (graph == null) {
        operations.run();
        if (generation == device.generation()) {
          warm.add(key);
        }
        return;
      }
      keep(key, graph);
    }
    graph.launch(device.stream);
  }

  /** Median time on the GPU of the recorded operations, in microseconds. */
  double medianMicros(int rounds, Runnable operations) {
    double[] micros = new double[rounds];
    try (CudaGraph graph = device.stream.record(operations);
        CudaEvent start = new CudaEvent(device.context);
        CudaEvent end = new CudaEvent(device.context)) {
      graph.launch(device.stream); // warms up
      for (int i = 0; i < rounds; i++) {
        start.record(device.stream);
        graph.launch(device.stream);
        end.record(device.stream);
        end.synchronize();
        micros[i] = end.microsSince(start);
      }
    }
    Arrays.sort(micros);
    return micros[rounds / 2];
  }

  /** Null where the GPU has no room for it. */
  private @Nullable CudaGraph recorded(Key key, Runnable operations) {
    try {
      return device.stream.record(operations);
    } catch (OutOfDeviceMemoryException e) {
      if (graphs.isEmpty()) {
        LOG.log(
            System.Logger.Level.WARNING,
            "steps of {0} rows are launched kernel by kernel, which takes longer: {1}; give the KV"
                + " pool less with --kv-memory",
            key.rows,
            e.getMessage());
        tooLarge.add(key);
      } else {
        clear(); // there may be room next time
      }
      return null;
    }
  }

  private void keep(Key key, CudaGraph graph) {
    if (graphs.size() >= GRAPHS_MAX) {
      clear();
    }
    graphs.put(key, graph);
  }

  private void clear() {
    if (!graphs.isEmpty()) {
      device.finish();
    }
    List<CudaGraph> all = List.copyOf(graphs.values());
    graphs.clear();
    warm.clear();
    last = null;
    generation = device.generation();
    Owned.closeAll(all);
  }

  @Override
  public void close() {
    clear();
  }
}
