package org.chunkllama.cli;

import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bench}: parent of the benchmarks. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "BENCHMARK",
    description = "Measure. Quote ratios of one run, with the machine and the date.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  chunkllama bench offline --json",
      "  chunkllama bench advantage",
      "  chunkllama bench kernel --kv-type bf16",
      "  chunkllama bench profile",
      "  chunkllama bench faults",
      "  chunkllama bench kl --text book.txt --precision bf16"
    })
final class BenchCommand implements Runnable {
  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  /** The benchmarks, to be added below this. */
  static List<Object> benchmarks(Context context) {
    return List.of(
        new BenchOfflineCommand(context),
        new BenchAdvantageCommand(context),
        new BenchKernelCommand(context),
        new BenchProductCommand(context),
        new BenchSamplingCommand(context),
        new BenchDecodeCommand(context),
        new BenchPeersCommand(context),
        new BenchServerCommand(context),
        new BenchFaultsCommand(context),
        new BenchProfileCommand(context),
        new BenchKlCommand(context),
        new BenchGuideCommand(context),
        new BenchJmhCommand());
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "Missing benchmark");
  }
}
