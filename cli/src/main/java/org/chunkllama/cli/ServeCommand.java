package org.chunkllama.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.chunkllama.Llm;
import org.chunkllama.prefix.TreeSnapshot;
import org.chunkllama.server.ChatServer;
import org.chunkllama.server.ServerOptions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code serve}: a model behind HTTP. */
@Command(
    name = "serve",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    abbreviateSynopsis = true,
    description = "Serve a model over HTTP, with the APIs of OpenAI and Anthropic.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  chunkllama serve",
      "  chunkllama serve --model hf:Qwen/Qwen3-0.6B --port 9000 --kv-memory 2g",
      "  CHUNKLLAMA_API_KEY=... chunkllama serve --host 0.0.0.0",
      "  chunkllama serve --config serve.yaml --print-config",
      "",
      "Every option can also be set in the environment (--max-sequences is",
      "CHUNKLLAMA_MAX_SEQUENCES) and in a file (max-sequences: 128). A flag counts before the",
      "environment, the environment before the file. SIGTERM lets running answers end, then the",
      "server stops with status 0."
    })
final class ServeCommand implements Callable<Integer> {
  private final Context context;
  private final Defaults defaults;

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "Options from a file: properties, or YAML (.yaml, .yml).")
  @SuppressWarnings("UnusedVariable") // Defaults reads it before options have values
  private @Nullable String config;

  @Option(
      names = "--print-config",
      description = "Print the options in force and where each comes from, and do nothing else.")
  private boolean printConfig;

  @Mixin private final ServerArguments server = new ServerArguments();
  @Mixin private final ModelOptions model = new ModelOptions();

  @Option(
      names = "--max-queue",
      paramLabel = "N",
      defaultValue = "1024",
      description =
          "Requests that may wait; more are answered with 429. Default: ${DEFAULT-VALUE}.")
  private int maxQueue;

  @Option(
      names = "--drain-timeout",
      paramLabel = "TIME",
      defaultValue = "30s",
      converter = Durations.class,
      description = "For running answers to end when told to stop. Default: ${DEFAULT-VALUE}.")
  private Duration drainTimeout = Duration.ofSeconds(30);

  private ServeCommand(Context context, Defaults defaults) {
    this.context = context;
    this.defaults = defaults;
  }

  /** The command, ready to parse {@code args}. */
  static CommandLine line(Context context, String[] args) {
    Defaults defaults = new Defaults(System::getenv, args);
    return new CommandLine(new ServeCommand(context, defaults)).setDefaultValueProvider(defaults);
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (maxQueue < 1) {
      throw new ParameterException(
          spec.commandLine(), "--max-queue must be 1 or more, not " + maxQueue);
    }
    ServerOptions options = server.serverOptions(model.model());
    if (printConfig) {
      ConfigListing.lines(spec.commandLine().getParseResult(), defaults)
          .forEach(context.console().out()::println);
      return 0;
    }
    ChatServer.checkAddress(options);
    Llm llm = Models.load(model, o -> o.withQueueCapacity(maxQueue), context);
    try {
      ChatServer started = ChatServer.start(llm, options);
      Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(started, llm), "chunkllama-stop"));
      announce(llm, options, started.port());
    } catch (RuntimeException e) {
      llm.close();
      throw e;
    }
    new CountDownLatch(1).await(); // until a signal
    return 0;
  }

  private void announce(Llm llm, ServerOptions options, int port) throws IOException {
    boolean local = InetAddress.getByName(options.host()).isLoopbackAddress();
    Console console = context.console();
    if (!local && !options.keys().areRequired()) {
      console.say(
          "WARNING: anybody who reaches %s can use this server; set --api-keys, or --host 127.0.0.1"
              .formatted(options.host()));
    }
    if (context.quiet()) {
      return;
    }
    String url = (options.tls().isPresent() ? "https://" : "http://") + options.host() + ":" + port;
    console.say("model %s: %s".formatted(options.modelName(), llm.description()));
    console.say("pool: " + model.poolReason());
    console.say("serving at %s; stop with Ctrl-C. Try:".formatted(url));
    console.say(
        "  curl -N %s/v1/chat/completions%s -d '{\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Why is the sky blue?\"}]}'"
            .formatted(url, options.keys().areRequired() ? " -H 'Authorization: Bearer KEY'" : ""));
  }

  private void stop(ChatServer started, Llm llm) {
    try {
      int open = started.openRequests();
      if (open > 0 && !context.quiet()) {
        context.console().say("stopping: %d answers may take %s".formatted(open, text()));
      }
      if (!started.drain(drainTimeout)) {
        context.console().say("stopped before all answers had ended");
      }
      if (!context.quiet() && llm.isRunning()) {
        context.console().say("stopped; chunks: " + chunks(llm.tree(false)));
      }
      started.close();
      llm.close();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } finally {
      // A signal would end the process with 128 + its number; stopping when told to is no failure.
      Runtime.getRuntime().halt(0);
    }
  }

  private static String chunks(TreeSnapshot tree) {
    return "%d free + %d retained + %d live = %d"
        .formatted(tree.chunksFree(), tree.chunksRetained(), tree.chunksLive(), tree.chunksTotal());
  }

  private String text() {
    return drainTimeout.toSeconds() + " s";
  }
}
