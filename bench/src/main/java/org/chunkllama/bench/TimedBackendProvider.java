package org.chunkllama.bench;

import java.util.Optional;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendProvider;
import org.chunkllama.spi.Backends;
import org.jspecify.annotations.Nullable;

/**
 * Puts timers around another backend, for {@link ProfileBench} alone: to everybody else it is
 * unusable, and it is never chosen by itself.
 */
public final class TimedBackendProvider implements BackendProvider {
  /** For {@link java.util.ServiceLoader}. */
  public TimedBackendProvider() {}

  static final String NAME = "timed";

  private static volatile @Nullable Target target;

  /** What to open instead, and where to note times. */
  record Target(String backend, OpTimes times) {}

  /** The next backend opened under {@link #NAME} is {@code backend}, timed into {@code times}. */
  static void target(String backend, OpTimes times) {
    target = new Target(backend, times);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public int preference() {
    return Integer.MIN_VALUE;
  }

  @Override
  public Optional<String> unusableBecause() {
    return target == null ? Optional.of("it serves 'bench profile' only") : Optional.empty();
  }

  @Override
  public Backend open(BackendOptions options) {
    Target wanted = target;
    if (wanted == null) {
      throw new IllegalStateException("no target");
    }
    target = null; // the choice below must not come back here
    return timed(Backends.open(wanted.backend(), options), wanted.times());
  }

  /**
   * {@code backend} with timers around it.
   *
   * @throws InvalidRequestException if its calls return before the work is done; it is closed then
   */
  static Backend timed(Backend backend, OpTimes times) {
    if (backend.queuesSteps()) {
      String name = backend.name();
      backend.close();
      throw new InvalidRequestException(
          ("'bench profile' times calls, and those of backend %s return before the work is done;"
                  + " take --backend cpu, or NVIDIA's Nsight Systems around 'bench offline'")
              .formatted(name));
    }
    return new TimedBackend(backend, times);
  }
}
