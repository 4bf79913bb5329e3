package org.chunkllama.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.chunkllama.cuda.driver.GpuProperties;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.TunableAttention.Origin;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is measured, what is shipped, and what serves without either. Needs no GPU. */
class TuningsTest {
  private static final GpuProperties GPU =
      new GpuProperties("Some GPU (80 GB)", 12, 3, 100, 1 << 25, 1 << 17, 13000);
  private static final KvLayout LAYOUT = new KvLayout(7, 8, 128, 64, DType.BF16);

  @TempDir private Path folder;

  private Tunings tunings() {
    return new Tunings(GPU, "0123456789ab", new TuningFiles(folder));
  }

  private static CudaTuning other() {
    List<Double> values = CudaTuning.HEURISTIC.list();
    values.set(0, 96.0);
    values.set(2, 0.35);
    return CudaTuning.of(values);
  }

  private Path kept() {
    Tunings tunings = tunings();
    tunings.set(LAYOUT, 32, other());
    return Path.of(tunings.keep(LAYOUT, 32, "two\nlines"));
  }

  @Test
  void whatIsKeptServesTheNextStartOfTheSameShape() throws IOException {
    Path file = kept();
    assertThat(file)
        .hasParent(folder)
        .hasFileName("tuning-Some_GPU_80_GB_-sm_123-8x128x4-c64-bf16-0123456789ab.properties");
    assertThat(Files.readString(file))
        .startsWith("# two lines\nformat=1\ngpu=Some GPU (80 GB)\n")
        .contains("\nbalance=96.0\n")
        .contains("\nquery-rows=128.0\n");
    assertThat(tunings().of(LAYOUT, 32)).isEqualTo(other());
    // Layers do not matter; all else does.
    assertThat(tunings().of(new KvLayout(1, 8, 128, 64, DType.BF16), 32)).isEqualTo(other());
    assertThat(tunings().of(LAYOUT, 16)).isEqualTo(CudaTuning.HEURISTIC);
    assertThat(tunings().of(new KvLayout(7, 8, 128, 32, DType.BF16), 32))
        .isEqualTo(CudaTuning.HEURISTIC);
    assertThat(new Tunings(GPU, "another", new TuningFiles(folder)).of(LAYOUT, 32))
        .isEqualTo(CudaTuning.HEURISTIC);
    try (var files = Files.list(folder)) {
      assertThat(files).containsExactly(file); // no part left behind
    }
  }

  @Test
  void saysWhereValuesComeFrom() {
    assertThat(tunings().origin(LAYOUT, 32)).isEqualTo(Origin.GUESSED);
    Tunings a100 = tunings(8);
    assertThat(a100.origin(LAYOUT, 32)).as("a table of guesses").isEqualTo(Origin.GUESSED);
    assertThat(tunings(9).origin(LAYOUT, 32)).isEqualTo(Origin.SHIPPED);
    a100.set(LAYOUT, 32, other());
    assertThat(a100.origin(LAYOUT, 32)).isEqualTo(Origin.MEASURED);
    assertThat(a100.origin(LAYOUT, 16)).isEqualTo(Origin.GUESSED);
    Path _ = kept();
    assertThat(tunings().origin(LAYOUT, 32)).as("of an earlier start").isEqualTo(Origin.MEASURED);
  }

  private Tunings tunings(int major) {
    GpuProperties gpu = new GpuProperties("Other GPU", major, 0, 100, 1 << 25, 1 << 17, 13000);
    return new Tunings(gpu, "0123456789ab", new TuningFiles(folder));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "garbage \\uzzzz",
        "format=2",
        "s/balance=96.0/balance=nothing",
        "s/balance=96.0/balance=1e9",
        "s/balance=96.0/balance=NaN",
        "s/merge=/mirge=",
        "s/kernel=0/kernel=1",
        "s/gpu=Some/gpu=Other"
      })
  void aBrokenFileIsPassedOver(String damage) throws IOException {
    Path file = kept();
    String[] parts = damage.split("/", -1);
    String text = parts.length == 3 ? Files.readString(file).replace(parts[1], parts[2]) : damage;
    assertThat(text).isNotEqualTo(Files.readString(file));
    Files.writeString(file, text);
    List<String> warnings = new ArrayList<>();
    try (LogCapture _ = new LogCapture(TuningFiles.class, warnings)) {
      assertThat(tunings().of(LAYOUT, 32)).isEqualTo(CudaTuning.HEURISTIC);
    }
    assertThat(warnings).singleElement().asString().contains(file.toString()).contains("tune");
  }

  @Test
  void aFolderThatCannotBeWrittenIsNamed() throws IOException {
    Path blocked = Files.writeString(folder.resolve("blocked"), "a file");
    Tunings tunings = new Tunings(GPU, "k", new TuningFiles(blocked.resolve("cuda")));
    assertThatThrownBy(() -> tunings.keep(LAYOUT, 32, "note"))
        .hasMessageContaining("CHUNKLLAMA_HOME");
  }

  @Test
  void shippedTablesAreWholeAndChosenByHeads() {
    for (String architecture : List.of("sm_80", "sm_90a")) {
      for (String heads : List.of("32x128x1", "8x128x4", "3x64x3", "5x96x2")) {
        assertThat(ShippedTunings.of(architecture, heads)).isPresent();
      }
    }
    assertThat(ShippedTunings.of("sm_80", "8x128x4"))
        .contains(new ShippedTunings.Shipped(CudaTuning.HEURISTIC, false));
    assertThat(ShippedTunings.of("sm_90a", "8x128x4").orElseThrow().isMeasured()).isTrue();
    assertThat(ShippedTunings.of("sm_123", "8x128x4")).isEmpty();
  }

  @Test
  void valuesOutOfRangeAreRefused() {
    List<Double> values = CudaTuning.HEURISTIC.list();
    values.set(9, 1.5);
    assertThatThrownBy(() -> CudaTuning.of(values)).hasMessageContaining("lanes");
    assertThat(CudaTuning.HEURISTIC.lanes(132, 8)).isEqualTo(16);
    assertThat(CudaTuning.HEURISTIC.lanes(132, 200)).isEqualTo(1);
    assertThat(CudaTuning.HEURISTIC.rowsMax(64, 4)).isEqualTo(16);
  }

  @Test
  void theKernelsVersionIsThatOfItsSource() {
    assertThat(KernelCompiler.fingerprint("attention.cu"))
        .matches("[0-9a-f]{12}")
        .isEqualTo(KernelCompiler.fingerprint("attention.cu"))
        .isNotEqualTo(KernelCompiler.fingerprint("attention_exact.cu"));
  }
}
