package org.chunkllama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.chunkllama.bench.faults.FaultResult;
import org.chunkllama.bench.faults.FaultsBench;
import org.junit.jupiter.api.Test;

/** Every fault against a process of its own, then some of them for a while. */
class BenchFaultsTest {
  private static final Duration SOAK = Duration.ofSeconds(10);

  @Test
  void everyFaultIsSurvived() throws Exception {
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--add-modules",
            "jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            "org.chunkllama.cli.ChunkLlama",
            "serve",
            "--model",
            StoriesModel.path(),
            "--port",
            "0",
            "--no-access-log");
    List<FaultResult> results = new ArrayList<>();
    try (FaultsBench bench =
        new FaultsBench(command, result -> System.out.println(result.line()))) {
      results.addAll(bench.all());
      results.addAll(bench.soak(SOAK));
    }
    assertThat(results).hasSizeGreaterThanOrEqualTo(29);
    assertThat(results)
        .extracting(FaultResult::name)
        .contains(
            "exceptions out of the sampler",
            "exceptions out of the tokenizer, on the way in",
            "exceptions out of the tokenizer, on the way out",
            "exceptions out of the template",
            "exceptions out of the backend");
    assertThat(results)
        .allSatisfy(result -> assertThat(result.passed()).as(result.line()).isTrue());
  }
}
