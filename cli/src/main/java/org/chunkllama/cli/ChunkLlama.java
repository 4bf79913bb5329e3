package org.chunkllama.cli;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.chunkllama.cli.LoggingSetup.Verbosity;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The {@code chunkllama} command. Exit status: 0 done, 1 failed, 2 wrongly called. */
@Command(
    name = "chunkllama",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    synopsisSubcommandLabel = "COMMAND",
    description = "Llama-family models on the JVM; prompts that begin alike share memory and work.",
    footer = {
      "",
      "Examples:",
      "  chunkllama generate \"Why is the sky blue?\"",
      "  chunkllama chat",
      "  chunkllama serve",
      "  chunkllama generate --prompts questions.jsonl --system system.txt --json",
      "",
      "Exit status: 0 done, 1 failed, 2 wrongly called."
    })
public final class ChunkLlama implements Runnable {
  /** Exit status of a command that was understood and failed. */
  static final int FAILED = 1;

  @Option(
      names = "--verbose",
      scope = ScopeType.INHERIT,
      description = "Log more, and print stack traces of errors.")
  private boolean verbose;

  @Option(
      names = {"-q", "--quiet"},
      scope = ScopeType.INHERIT,
      description = "Log warnings only; no progress, no summary.")
  private boolean quiet;

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  private ChunkLlama() {}

  /** Runs one command and exits with its status. */
  public static void main(String[] args) {
    int status = run(args, Console.system());
    System.exit(status);
  }

  /** Runs one command; what {@link #main} does but for leaving the process. */
  static int run(String[] args, Console console) {
    ChunkLlama root = new ChunkLlama();
    CommandLine line = new CommandLine(root);
    Context context = new Context(console, root);
    for (Object command : commands(context)) {
      line.addSubcommand(command);
    }
    CommandLine bench = new CommandLine(new BenchCommand());
    BenchCommand.benchmarks(context).forEach(bench::addSubcommand);
    line.addSubcommand(bench);
    line.addSubcommand(ServeCommand.line(context, args));
    Failures failures = new Failures(console, root);
    line.setOut(writer(console.out()));
    line.setErr(writer(console.err()));
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setUsageHelpAutoWidth(false);
    line.setUsageHelpWidth(100);
    line.setParameterExceptionHandler(failures);
    line.setExecutionStrategy(parsed -> {
      LoggingSetup.apply(root.verbosity());
      return new CommandLine.RunLast().execute(parsed);
    });
    line.setExecutionExceptionHandler((e, command, parsed) -> failures.report(e));
    try {
      return line.execute(args);
    } catch (StackOverflowError | OutOfMemoryError e) {
      return failures.report(e);
    }
  }

  private static PrintWriter writer(PrintStream stream) {
    return new PrintWriter(stream, true, StandardCharsets.UTF_8);
  }

  private static List<Object> commands(Context context) {
    return List.of(
        new ChatCommand(context),
        new GenerateCommand(context),
        new TreeCommand(context),
        new InspectCommand(context),
        new PullCommand(context),
        new TuneCommand(context),
        new PackageCommand(context));
  }

  Verbosity verbosity() {
    if (verbose) {
      return Verbosity.VERBOSE;
    }
    return quiet ? Verbosity.QUIET : Verbosity.NORMAL;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "Missing command");
  }
}
