package org.chunkllama.tune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleBiFunction;
import org.chunkllama.files.Progress;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.TunableAttention;
import org.chunkllama.tune.AttentionTuner.Result;
import org.junit.jupiter.api.Test;

/** On a device and a clock that are made up. */
class AttentionTunerTest {
  private static final KvLayout LAYOUT = new KvLayout(1, 2, 64, 64, DType.BF16);

  /** Two settings, two workloads, a cost for each, a second per measurement. */
  private static final class Device implements TunableAttention, AttentionTuner.Workloads {
    private final ToDoubleBiFunction<Integer, List<Double>> micros;
    private List<Double> values = List.of(4.0, 4.0);
    private long nanos;

    Device(ToDoubleBiFunction<Integer, List<Double>> micros) {
      this.micros = micros;
    }

    @Override
    public Origin origin(KvLayout layout, int queryHeads) {
      return Origin.GUESSED;
    }

    @Override
    public List<Setting> settings(KvLayout layout, int queryHeads) {
      assertThat(queryHeads).isEqualTo(8);
      List<Double> ladder = List.of(1.0, 2.0, 4.0, 8.0);
      return List.of(
          new Setting("a", ladder, values.get(0)), new Setting("b", ladder, values.get(1)));
    }

    @Override
    public void set(KvLayout layout, int queryHeads, List<Double> values) {
      this.values = new ArrayList<>(values);
    }

    @Override
    public String keep(KvLayout layout, int queryHeads, String note) {
      throw new AssertionError("the caller keeps");
    }

    @Override
    public List<String> names() {
      return List.of("one", "two");
    }

    @Override
    public double micros(int workload) {
      nanos += 1_000_000_000;
      return micros.applyAsDouble(workload, values);
    }

    Result tune(int seconds) {
      return new AttentionTuner(this, LAYOUT, 8, this, () -> nanos)
          .tune(Duration.ofSeconds(seconds), Progress.NONE);
    }
  }

  @Test
  void setsWhatIsFastest() {
    Device device = new Device((workload, v) -> 10 + v.get(0) + (workload == 0 ? v.get(1) : 0));
    Result result = device.tune(1000);
    assertThat(device.values).containsExactly(1.0, 1.0);
    assertThat(result.isChanged()).isTrue();
    assertThat(result.complete()).isTrue();
    assertThat(result.before()).containsExactly(4.0, 4.0);
    assertThat(result.times().get(0).before()).isEqualTo(18);
    assertThat(result.times().get(0).after()).isEqualTo(12);
    assertThat(result.ratio()).isEqualTo(Math.sqrt(12 / 18.0 * 11 / 14.0));
  }

  @Test
  void keepsTheOldWhereOneWorkloadWouldLose() {
    Device device =
        new Device((workload, v) -> workload == 0 ? 10 + v.get(0) : 20 - 0.3 * v.get(0));
    Result result = device.tune(1000);
    assertThat(device.values).containsExactly(4.0, 4.0);
    assertThat(result.isChanged()).isFalse();
    assertThat(result.ratio()).isEqualTo(1);
  }

  @Test
  void keepsTheOldWhereTheGainDoesNotShowAgain() {
    int[] calls = {0};
    Device device = new Device((_, v) -> ++calls[0] > 12 ? 10 : 10 + v.get(0));
    assertThat(device.tune(1000).isChanged()).isFalse();
    assertThat(device.values).containsExactly(4.0, 4.0);
  }

  @Test
  void endsInTime() {
    Device device = new Device((_, v) -> 10 + v.get(0) + v.get(1));
    Result result = device.tune(18); // 2 s for each set of values
    assertThat(result.complete()).isFalse();
    assertThat(result.points()).isEqualTo(4);
    assertThat(result.isChanged()).isTrue();
    // no set begins when less than a third of the time would be left; then three turns of both
    assertThat(device.nanos).isEqualTo(12_000_000_000L + 3 * 4_000_000_000L);
  }

  @Test
  void withoutTimeNothingIsSearched() {
    Device device = new Device((_, v) -> 10 + v.get(0) + v.get(1));
    Result result = device.tune(5);
    assertThat(result.points()).isEqualTo(1);
    assertThat(result.isChanged()).isFalse();
    assertThat(device.nanos).isEqualTo(6_000_000_000L);
  }

  @Test
  void aFailureLeavesTheOldSettings() {
    int[] calls = {0};
    Device device =
        new Device((_, _) -> {
          if (++calls[0] > 8) {
            throw new IllegalStateException("the device is gone");
          }
          return 10;
        });
    assertThatThrownBy(() -> device.tune(100)).hasMessage("the device is gone");
    assertThat(device.values).containsExactly(4.0, 4.0);
  }
}
