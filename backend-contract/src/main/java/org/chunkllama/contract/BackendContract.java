package org.chunkllama.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendOptions.Precision;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Tensor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.TestInstance;

/**
 * Base of the contracts. A backend's test extends each contract and says how it is opened; every
 * expected value is computed here in double precision, without the reference backend.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class BackendContract {
  private final Map<BackendOptions, Backend> opened = new HashMap<>();

  /** For the test of a backend. */
  protected BackendContract() {}

  /**
   * Opens the backend under test; the contract closes it. Options that this machine does not offer
   * are refused with {@link InvalidRequestException}: the test is then skipped.
   */
  protected abstract Backend open(BackendOptions options);

  /** The backend in exact arithmetic, on as many threads as it likes. */
  Backend backend() {
    return backend(new BackendOptions(0, Precision.FP32));
  }

  /** The backend with these options, opened once per class. */
  Backend backend(BackendOptions options) {
    try {
      return opened.computeIfAbsent(options, this::open);
    } catch (InvalidRequestException refused) {
      return Assumptions.abort(options + " refused: " + refused.getMessage());
    }
  }

  /** Precisions that the backend under test offers: all but fp16, which it may refuse. */
  List<Precision> precisions() {
    List<Precision> offered = new ArrayList<>(List.of(Precision.values()));
    try {
      opened.computeIfAbsent(new BackendOptions(0, Precision.FP16), this::open);
    } catch (InvalidRequestException refused) {
      assertThat(refused).hasMessageContaining("fp16").hasMessageContaining("--precision");
      offered.remove(Precision.FP16);
    }
    return offered;
  }

  /** True if the backend cannot store keys and values so; then it must say what it can store. */
  boolean isRefused(DType type) {
    if (backend().kvTypes().contains(type)) {
      return false;
    }
    KvLayout layout = new KvLayout(1, 1, 64, 16, type);
    assertThatThrownBy(() -> backend().kvCache(layout, 1))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("F32, F16, BF16")
        .hasMessageContaining("not as " + type)
        .message()
        .doesNotContain("\n");
    return true;
  }

  @AfterAll
  void closeBackends() {
    opened.values().forEach(Backend::close);
    opened.clear();
  }

  /** A tensor that holds {@code values}, {@code [rows][columns]}. */
  static Tensor tensor(Backend backend, int rows, int columns, float[] values) {
    Tensor tensor = backend.tensor(rows, columns);
    for (int r = 0; r < rows; r++) {
      tensor.write(r, values, r * columns);
    }
    return tensor;
  }

  /** All of a tensor, {@code [rows][columns]}. */
  static float[] read(Tensor tensor) {
    float[] values = new float[tensor.rows() * tensor.columns()];
    for (int r = 0; r < tensor.rows(); r++) {
      tensor.read(r, values, r * tensor.columns());
    }
    return values;
  }
}
