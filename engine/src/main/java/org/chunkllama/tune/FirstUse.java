package org.chunkllama.tune;

import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Locale;
import org.chunkllama.files.Progress;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.GraphTimer;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.TunableAttention;
import org.chunkllama.spi.TunableAttention.Origin;
import org.chunkllama.tune.AttentionTuner.Result;

/**
 * A short {@link AttentionTuner search} when a device is first used for a shape of heads. What
 * comes out is kept, so that it is not measured again. Whatever fails is a warning: the built-in
 * settings serve then.
 */
public final class FirstUse {
  /** For the measurements; compiling and filling caches comes on top. */
  static final Duration LIMIT = Duration.ofSeconds(3);

  private static final System.Logger LOG = System.getLogger(FirstUse.class.getName());

  private FirstUse() {}

  /**
   * Measures if that is due and the backend has something to measure. Needs some GiB of free memory
   * on the device, and gives them back.
   *
   * @param layout of the model's cache
   * @param queryHeads query heads
   * @param trustsShipped true if settings that were measured elsewhere will do
   */
  public static void tune(
      Backend backend, KvLayout layout, int queryHeads, boolean trustsShipped, Progress progress) {
    if (backend instanceof TunableAttention tunable
        && backend instanceof GraphTimer timer
        && isDue(tunable.origin(layout, queryHeads), trustsShipped)) {
      measure(backend, timer, tunable, layout, queryHeads, progress);
    }
  }

  private static boolean isDue(Origin origin, boolean trustsShipped) {
    return switch (origin) {
      case MEASURED -> false;
      case SHIPPED -> !trustsShipped;
      case GUESSED -> true;
    };
  }

  private static void measure(
      Backend backend,
      GraphTimer timer,
      TunableAttention tunable,
      KvLayout layout,
      int queryHeads,
      Progress progress) {
    LOG.log(
        Level.INFO,
        "first use of this GPU for these heads: measuring attention for up to {0} s (--tuning off skips it)",
        LIMIT.toSeconds());
    long begin = System.nanoTime();
    try {
      Result result =
          AttentionTuner.tune(backend, timer, tunable, layout, queryHeads, LIMIT, progress);
      String place = tunable.keep(layout, queryHeads, note(result));
      LOG.log(
          Level.INFO,
          "measured in %.1f s with compiling: attention takes %.3f of the time before; kept in %s"
              .formatted((System.nanoTime() - begin) / 1e9, result.ratio(), place));
    } catch (RuntimeException e) {
      LOG.log(
          Level.WARNING,
          "attention could not be measured or its settings not kept, starting without; --tuning off skips it: {0}",
          e.getMessage());
    }
  }

  private static String note(Result result) {
    return String.format(
        Locale.ROOT,
        "first use, %s: %.3f of the time before, %d sets of values measured",
        LocalDate.now(ZoneOffset.UTC),
        result.ratio(),
        result.points());
  }
}
