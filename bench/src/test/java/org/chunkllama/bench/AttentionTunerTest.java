package org.chunkllama.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleBiFunction;
import org.chunkllama.bench.AttentionTuner.Result;
import org.chunkllama.bench.AttentionWorkload.Heads;
import org.chunkllama.files.Progress;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.TunableAttention;
import org.junit.jupiter.api.Test;

/** On a device and a clock that are made up. */
class AttentionTunerTest {
  private static final Heads HEADS = new Heads(8, 2, 64, 64, DType.BF16);

  /** Two settings, two workloads, a cost for each, a second per measurement. */
  private static final class Device implements TunableAttention, AttentionTuner.Workloads {
    private final ToDoubleBiFunction<Integer, List<Double>> micros;
    private List<Double> values = List.of(4.0, 4.0);
    private long nanos;

    Device(ToDoubleBiFunction<Integer, List<Double>> micros) {
      this.micros = micros;
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
      return new AttentionTuner(this, HEADS, this, () -> nanos)
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
    Result result = device.tune(8);
    assertThat(result.complete()).isFalse();
    assertThat(result.points()).isLessThan(4);
    assertThat(device.nanos).isLessThan(40_000_000_000L); // the last comparison: 28 s
  }
}
