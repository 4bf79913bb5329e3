package org.chunkllama.cpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.spi.BackendOptions.Precision;
import org.jspecify.annotations.Nullable;

/**
 * Which library multiplies many rows, and why: decided once, when the backend is opened. Not every
 * processor with bf16 instructions is faster with them (some run them at half the rate of fp32), so
 * both are timed.
 *
 * @param engine oneDNN in bf16; null for the Vector API in fp32
 * @param why one clause for the log
 */
record ProductChoice(@Nullable OneDnnEngine engine, String why) {
  private static final double GAIN_NEEDED = 1.15;

  /**
   * Decides.
   *
   * @throws InvalidRequestException if BF16 is asked for and this machine cannot do it
   */
  static ProductChoice of(Precision precision, int workers) {
    if (precision == Precision.FP32) {
      return new ProductChoice(null, "Vector API in fp32, as asked");
    }
    String obstacle = obstacle();
    if (obstacle == null) {
      try {
        OneDnnEngine engine = new OneDnnEngine(OneDnn.load(OneDnnLibrary.unpack()), workers);
        if (precision == Precision.BF16) {
          return new ProductChoice(engine, "oneDNN in bf16, as asked");
        }
        return faster(engine);
      } catch (IOException | IllegalArgumentException | OneDnnException e) {
        obstacle = "oneDNN cannot be loaded: " + e.getMessage();
      }
    }
    if (precision == Precision.BF16) {
      throw new InvalidRequestException(
          "precision bf16 is not to be had: " + obstacle + "; use precision auto or fp32");
    }
    return new ProductChoice(null, "Vector API in fp32 (" + obstacle + ")");
  }

  private static ProductChoice faster(OneDnnEngine engine) {
    double fp32 = OneDnnTimer.gigaflops(engine, OneDnn.F32);
    double bf16 = OneDnnTimer.gigaflops(engine, OneDnn.BF16);
    String measured =
        String.format(Locale.ROOT, "measured bf16 %.0f, fp32 %.0f GFLOP/s a core", bf16, fp32);
    if (bf16 > GAIN_NEEDED * fp32) {
      return new ProductChoice(engine, "oneDNN in bf16 (" + measured + ")");
    }
    engine.close();
    return new ProductChoice(null, "Vector API in fp32 (" + measured + ")");
  }

  /** Why oneDNN's bf16 is out of the question here; null if it is not. */
  private static @Nullable String obstacle() {
    if (!System.getProperty("os.name").equals("Linux")
        || !System.getProperty("os.arch").equals("amd64")) {
      return "the bundled oneDNN is for linux-x86_64";
    }
    if (!OneDnnLibrary.isBundled()) {
      return "org.bytedeco:dnnl for linux-x86_64 is not on the class path";
    }
    String flags;
    try {
      flags = Files.readString(Path.of("/proc/cpuinfo"));
    } catch (IOException e) {
      return "/proc/cpuinfo cannot be read";
    }
    boolean bf16 = flags.contains(" avx512_bf16") || flags.contains(" amx_bf16");
    return bf16 ? null : "the processor has neither AVX-512 bf16 nor AMX";
  }
}
