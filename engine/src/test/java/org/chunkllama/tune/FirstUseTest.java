package org.chunkllama.tune;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.chunkllama.error.DeviceException;
import org.chunkllama.files.Progress;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.PlanCosts;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.Backends;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.GraphTimer;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.Tensor;
import org.chunkllama.spi.TunableAttention;
import org.chunkllama.spi.TunableAttention.Origin;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** On a device without arithmetic whose clock shows what its one setting makes of it. */
class FirstUseTest {
  private static final KvLayout LAYOUT = new KvLayout(3, 8, 128, 64, DType.BF16);
  private static final int QUERY_HEADS = 32;

  /** A backend with what the tuner needs. */
  private interface Device extends Backend, GraphTimer, TunableAttention {}

  private static final class Fake {
    Origin origin = Origin.GUESSED;
    double value = 4;
    double fastest = 2;
    int timings;
    int failsAt = -1;
    boolean isReadOnly;
    int open; // caches and tensors
    int roomFor = Integer.MAX_VALUE; // of those
    final List<String> kept = new ArrayList<>();

    Device device() {
      return (Device)
          Proxy.newProxyInstance(
              Device.class.getClassLoader(),
              new Class<?>[] {Device.class},
              (_, method, arguments) ->
                  switch (method.getName()) {
                    case "name" -> "fake";
                    case "parallelism" -> 1;
                    case "planCosts" -> PlanCosts.defaults();
                    case "tensor" -> tensor((int) arguments[0], (int) arguments[1]);
                    case "matrix" -> matrix();
                    case "kvCache" -> cache((KvLayout) arguments[0], (int) arguments[1]);
                    case "medianMicros" -> micros((AttentionPlan) arguments[1]);
                    case "origin" -> origin;
                    case "settings" ->
                        List.of(new TunableAttention.Setting("s", List.of(1.0, 2.0, 4.0), value));
                    case "set" -> set((List<?>) arguments[2]);
                    case "keep" -> keep((KvLayout) arguments[0], (int) arguments[1]);
                    case "append", "attention", "linear" -> null;
                    default -> throw new AssertionError(method);
                  });
    }

    private double micros(AttentionPlan plan) {
      if (timings++ == failsAt) {
        throw new IllegalStateException("launch failed");
      }
      return plan.rows * (10 + Math.abs(value - fastest));
    }

    private Object set(List<?> values) {
      value = (double) values.getFirst();
      return this;
    }

    private String keep(KvLayout layout, int queryHeads) {
      assertThat(queryHeads).isEqualTo(QUERY_HEADS);
      assertThat(layout.kvHeads()).isEqualTo(8);
      if (isReadOnly) {
        throw new IllegalStateException("read-only");
      }
      kept.add("s=" + value);
      return "file";
    }

    private void take() {
      if (open == roomFor) {
        throw new DeviceException("out of memory");
      }
      open++;
    }

    private Tensor tensor(int rows, int columns) {
      take();
      return new Tensor() {
        @Override
        public int rows() {
          return rows;
        }

        @Override
        public int columns() {
          return columns;
        }

        @Override
        public void write(int row, float[] values, int offset) {}

        @Override
        public void read(int row, float[] values, int offset) {}

        @Override
        public void close() {
          open--;
        }
      };
    }

    private KvCache cache(KvLayout layout, int chunks) {
      take();
      return new KvCache() {
        @Override
        public KvLayout layout() {
          return layout;
        }

        @Override
        public int chunks() {
          return chunks;
        }

        @Override
        public void copy(int from, int to, int slots) {}

        @Override
        public void close() {
          open--;
        }
      };
    }

    private static Matrix matrix() {
      return new Matrix() {
        @Override
        public int outputs() {
          return 1;
        }

        @Override
        public int inputs() {
          return 1;
        }

        @Override
        public long bytes() {
          return 0;
        }
      };
    }

    void start(boolean trustsShipped) {
      FirstUse.tune(device(), LAYOUT, QUERY_HEADS, trustsShipped, Progress.NONE);
      assertThat(open).as("memory in use").isZero();
    }
  }

  @Test
  void whatIsFastestIsSetAndKept() {
    Fake fake = new Fake();
    fake.start(true);
    assertThat(fake.value).isEqualTo(2);
    assertThat(fake.kept).containsExactly("s=2.0");
  }

  @Test
  void itIsKeptThatNothingIsFaster() {
    Fake fake = new Fake();
    fake.fastest = 4;
    fake.start(true);
    assertThat(fake.kept).containsExactly("s=4.0");
  }

  @ParameterizedTest
  @CsvSource({
    "GUESSED, true, true",
    "GUESSED, false, true",
    "SHIPPED, true, false",
    "SHIPPED, false, true",
    "MEASURED, true, false",
    "MEASURED, false, false",
  })
  void onlyWhatIsNotKnownIsMeasured(Origin origin, boolean trustsShipped, boolean measured) {
    Fake fake = new Fake();
    fake.origin = origin;
    fake.start(trustsShipped);
    assertThat(fake.timings > 0).isEqualTo(measured);
    assertThat(fake.kept).hasSize(measured ? 1 : 0);
  }

  @Test
  void aFailureLeavesTheBuiltInSettings() {
    Fake fake = new Fake();
    fake.failsAt = 17;
    fake.start(true);
    assertThat(fake.value).isEqualTo(4);
    assertThat(fake.kept).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 10, 20})
  void tooLittleMemoryIsNoFailure(int roomFor) {
    Fake fake = new Fake();
    fake.roomFor = roomFor;
    fake.start(true);
    assertThat(fake.value).isEqualTo(4);
    assertThat(fake.timings).isZero();
  }

  @Test
  void aFolderThatCannotBeWrittenLosesNothing() {
    Fake fake = new Fake();
    fake.isReadOnly = true;
    fake.start(true);
    assertThat(fake.value).isEqualTo(2);
  }

  @Test
  void otherBackendsHaveNothingToMeasure() {
    try (Backend reference = Backends.open("reference", BackendOptions.defaults())) {
      FirstUse.tune(reference, LAYOUT, QUERY_HEADS, false, Progress.NONE);
    }
  }
}
