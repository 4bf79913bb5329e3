package org.chunkllama.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.chunkllama.cuda.driver.GpuProperties;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.TunableAttention.Origin;

/**
 * The tuning of each shape on one GPU: what was measured here, else what is shipped for its
 * architecture, else the heuristic.
 */
final class Tunings {
  private static final System.Logger LOG = System.getLogger(Tunings.class.getName());

  private final String gpu;
  private final String architecture;
  private final String kernel;
  private final TuningFiles files;
  private final Map<String, InUse> inUse = new HashMap<>(); // by shape

  private record InUse(CudaTuning tuning, Origin origin) {}

  /**
   * Of a GPU.
   *
   * @param kernel version of the attention kernel's source
   */
  Tunings(GpuProperties gpu, String kernel, TuningFiles files) {
    this.gpu = gpu.name();
    this.architecture = gpu.architecture();
    this.kernel = kernel;
    this.files = files;
  }

  TuningKey key(KvLayout layout, int queryHeads) {
    return new TuningKey(gpu, architecture, TuningKey.shape(layout, queryHeads), kernel);
  }

  CudaTuning of(KvLayout layout, int queryHeads) {
    return inUse(layout, queryHeads).tuning;
  }

  /** Where it comes from. */
  Origin origin(KvLayout layout, int queryHeads) {
    return inUse(layout, queryHeads).origin;
  }

  private InUse inUse(KvLayout layout, int queryHeads) {
    return inUse.computeIfAbsent(
        TuningKey.shape(layout, queryHeads), _ -> find(layout, queryHeads));
  }

  private InUse find(KvLayout layout, int queryHeads) {
    TuningKey key = key(layout, queryHeads);
    Optional<CudaTuning> measured = files.read(key);
    if (measured.isPresent()) {
      LOG.log(System.Logger.Level.INFO, "attention is tuned by {0}", files.path(key));
      return new InUse(measured.get(), Origin.MEASURED);
    }
    return ShippedTunings.of(architecture, TuningKey.heads(layout, queryHeads))
        .map(shipped ->
            new InUse(shipped.tuning(), shipped.isMeasured() ? Origin.SHIPPED : Origin.GUESSED))
        .orElse(new InUse(CudaTuning.HEURISTIC, Origin.GUESSED));
  }

  /**
   * Keeps the one in use for later starts.
   *
   * @return where
   * @throws UncheckedIOException if the folder cannot be written
   */
  String keep(KvLayout layout, int queryHeads, String note) {
    try {
      return files.write(key(layout, queryHeads), of(layout, queryHeads), note).toString();
    } catch (IOException e) {
      throw new UncheckedIOException(
          "the tuning cannot be kept (%s): set CHUNKLLAMA_HOME to a folder that can be written"
              .formatted(e.getMessage()),
          e);
    }
  }

  /** Takes another one from now on, which was measured. */
  void set(KvLayout layout, int queryHeads, CudaTuning tuning) {
    inUse.put(TuningKey.shape(layout, queryHeads), new InUse(tuning, Origin.MEASURED));
  }
}
