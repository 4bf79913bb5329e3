package org.chunkllama.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.chunkllama.GenerationResult;
import org.chunkllama.Llm;
import org.chunkllama.LlmStats;
import org.chunkllama.sample.GenerationOptions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code chat}: a conversation on the terminal. */
@Command(
    name = "chat",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    abbreviateSynopsis = true,
    description = "Talk with a model. Ctrl-C stops an answer, Ctrl-D or /exit ends.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  chunkllama chat",
      "  chunkllama chat --system pirate.txt --temperature 0.7",
      "  printf 'What is the capital of France?\\nAnd of Peru?\\n' | chunkllama chat",
      "",
      "In the chat: /system TEXT, /tree, /stats, /reset, /help, /exit."
    })
final class ChatCommand implements Callable<Integer> {
  private static final String HELP =
      """
      /system TEXT  set the system prompt and begin anew; without TEXT: none
      /tree         draw the prefix tree
      /stats        figures of the last answer and since the start
      /reset        begin anew
      /help         this
      /exit         leave (Ctrl-D too); Ctrl-C stops an answer
      """;

  private final Context context;
  private final Console console;

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Option(names = "--system", paramLabel = "FILE", description = "Text file: the system prompt.")
  private @Nullable Path system;

  @Mixin private final ModelOptions modelOptions = new ModelOptions();
  @Mixin private final SamplingArguments sampling = new SamplingArguments();

  ChatCommand(Context context) {
    this.context = context;
    this.console = context.console();
  }

  @Override
  public Integer call() throws IOException {
    GenerationOptions options = sampling.generationOptions();
    if (!sampling.streams() || sampling.wantsLogprobs()) {
      throw new ParameterException(
          spec.commandLine(), "a chat has one answer, no beams and no logprobs");
    }
    String text = system == null ? null : Files.readString(system);
    try (Llm llm = Models.load(modelOptions, context);
        ChatInput input = ChatInput.open(console)) {
      ChatSession session = new ChatSession(llm, options, text, console);
      input.onInterrupt(session::interrupt);
      if (console.interactive()) {
        console.out().println("Chat with " + llm.name() + ". /help lists commands.");
      }
      converse(llm, session, input);
    }
    return 0;
  }

  private void converse(Llm llm, ChatSession session, ChatInput input) throws IOException {
    for (String line = input.readLine("> "); line != null; line = input.readLine("> ")) {
      String text = line.strip();
      if (text.equals("/exit") || text.equals("/quit")) {
        return;
      }
      if (text.startsWith("/")) {
        command(text, llm, session);
      } else if (!text.isEmpty()) {
        session.ask(text);
      }
    }
  }

  private void command(String text, Llm llm, ChatSession session) {
    String name = text.split("\\s", 2)[0];
    String argument = text.substring(name.length()).strip();
    switch (name) {
      case "/system" -> {
        session.system(argument);
        console.out().println(argument.isEmpty() ? "No system prompt." : "System prompt set.");
      }
      case "/tree" ->
          console
              .out()
              .print(new TreeDrawing(llm.tree(true), id -> id, llm.tokenizer()::decode).draw());
      case "/stats" -> console.out().print(stats(session.last(), llm.stats()));
      case "/reset" -> {
        session.reset();
        console.out().println("Begun anew.");
      }
      case "/help" -> console.out().print(HELP);
      default -> console.out().println("No command " + name + "; /help lists them.");
    }
  }

  private static String stats(@Nullable GenerationResult last, LlmStats stats) {
    String turn = "";
    if (last != null) {
      double seconds = (last.nanos() - last.ttftNanos()) / 1e9;
      int tokens = last.generatedTokens();
      turn =
          String.format(
              Locale.ROOT,
              "last answer: prompt %,d tokens (%,d reused), generated %,d, first after %.2f s, then"
                  + " %.1f tokens/s%n",
              last.promptTokenIds().length,
              last.cachedTokens(),
              tokens,
              last.ttftNanos() / 1e9,
              seconds > 0 ? (tokens - 1) / seconds : 0);
    }
    return turn
        + String.format(
            Locale.ROOT,
            "since start: prompt %,d tokens (%,d reused), generated %,d; KV memory %s at most%n",
            stats.promptTokens(),
            stats.promptTokensReused(),
            stats.generatedTokens(),
            Sizes.format(stats.kvBytesPeak()));
  }
}
