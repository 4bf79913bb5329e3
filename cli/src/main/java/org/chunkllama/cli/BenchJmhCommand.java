package org.chunkllama.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.chunkllama.bench.JmhBench;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code bench jmh}: the kernels' microbenchmarks. */
@Command(
    name = "jmh",
    mixinStandardHelpOptions = true,
    description = "Run the JMH benchmarks of the kernels.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  chunkllama bench jmh -- -l",
      "  chunkllama bench jmh Attention -- -prof gc -p batch=32"
    })
final class BenchJmhCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "ARGUMENT",
      description = "JMH's own arguments: a regular expression; after -- its options.")
  private List<String> arguments = new ArrayList<>();

  @Override
  public Integer call() throws IOException, InterruptedException {
    JmhBench.run(arguments);
    return 0;
  }
}
