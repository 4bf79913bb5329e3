package org.chunkllama.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.text.ParseException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import jdk.jfr.Configuration;
import jdk.jfr.Recording;
import org.chunkllama.Llm;
import org.chunkllama.LlmOptions;
import org.chunkllama.files.Progress;
import org.jspecify.annotations.Nullable;

/** Where the time of each offline workload goes, by operation. */
public final class ProfileBench {
  /** Label of what no operation of the backend accounts for. */
  public static final String REST = "scheduling, tree, plan, sampling";

  private final Path model;
  private final LlmOptions options;
  private final OfflineWorkload workload;

  /**
   * A workload's time.
   *
   * @param workload its figure's name
   * @param seconds wall-clock
   * @param secondsByOperation label to seconds; they add up to {@code seconds}
   */
  public record Profile(String workload, double seconds, Map<String, Double> secondsByOperation) {}

  /** Profiles the model at {@code model} with {@code options}. */
  public ProfileBench(Path model, LlmOptions options, OfflineWorkload workload) {
    this.model = model;
    this.options = options;
    this.workload = workload;
  }

  /**
   * Runs the workloads twice and profiles the second round.
   *
   * @param recording where to write a JFR recording of that round, or null
   * @throws IOException if the recording cannot be written
   */
  public List<Profile> run(Progress progress, @Nullable Path recording) throws IOException {
    OpTimes times = new OpTimes();
    TimedBackendProvider.target(options.backend(), times);
    try (Llm llm = Llm.load(model, options.withBackend(TimedBackendProvider.NAME), progress)) {
      OfflineBench bench = new OfflineBench(llm, workload, 1);
      bench.warmUp();
      bench.round();
      if (recording == null) {
        return profile(bench, times);
      }
      try (Recording jfr = new Recording(Configuration.getConfiguration("profile"))) {
        jfr.start();
        List<Profile> profiles = profile(bench, times);
        jfr.dump(recording);
        return profiles;
      } catch (ParseException e) {
        throw new IOException("the JDK's own JFR configuration cannot be read", e);
      }
    }
  }

  private List<Profile> profile(OfflineBench bench, OpTimes times) {
    List<int[]> shared = bench.sharedPrompts();
    return List.of(
        profile("prompt", times, bench::prompt),
        profile("single decode", times, bench::single),
        profile("batch short", times, bench::batch),
        profile("shared cold", times, () -> bench.seconds(shared, workload.output())),
        profile("shared warm", times, () -> bench.seconds(shared, workload.output())));
  }

  private static Profile profile(
      String name, OpTimes times, java.util.function.DoubleSupplier workload) {
    times.reset();
    double seconds = workload.getAsDouble();
    Map<String, Double> byOperation = new LinkedHashMap<>();
    double rest = seconds;
    for (Map.Entry<OpTimes.Op, Double> entry : times.seconds().entrySet()) {
      byOperation.put(entry.getKey().label(), entry.getValue());
      rest -= entry.getValue();
    }
    byOperation.put(REST, rest);
    return new Profile(name, seconds, byOperation);
  }
}
