package org.chunkllama.cli;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import org.chunkllama.GenerationRequest;
import org.chunkllama.Llm;
import org.chunkllama.sample.GenerationOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tree}: runs prompts and draws the prefix tree they made. */
@Command(
    name = "tree",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    abbreviateSynopsis = true,
    description =
        "Run prompts together and draw the prefix tree when most of them were running: its chunks"
            + " and who shares them.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  chunkllama tree \"Why is the sky blue?\" \"Why is the sea blue?\"",
      "  chunkllama tree --prompts questions.jsonl --system system.txt",
      "  chunkllama tree --prompts questions.jsonl --json"
    })
final class TreeCommand implements Callable<Integer> {
  private final Context context;

  @Mixin private final PromptArguments prompts = new PromptArguments();
  @Mixin private final ModelOptions modelOptions = new ModelOptions();

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      defaultValue = "16",
      description = "Tokens to generate for each prompt. Default: ${DEFAULT-VALUE}.")
  private int maxTokens = 16;

  @Option(names = "--json", description = "Print the tree as JSON.")
  private boolean json;

  TreeCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException {
    List<PromptLine> lines = prompts.read(context.console());
    String system = prompts.system();
    GenerationOptions options =
        GenerationOptions.defaults().withMaxTokens(maxTokens).withIgnoreEos(true);
    List<GenerationRequest> requests =
        lines.stream()
            .map(line -> GenerationRequest.of(line.toPrompt(system, prompts.raw())))
            .map(request -> request.withOptions(options))
            .toList();
    try (Llm llm = Models.load(modelOptions, context)) {
      TreeWatch watch = TreeWatch.run(llm, requests);
      TreeDrawing drawing =
          new TreeDrawing(watch.fullest(), watch::prompt, llm.tokenizer()::decode);
      if (json) {
        context.console().out().println(Json.indented(drawing.json()));
      } else {
        context.console().out().print(drawing.draw());
      }
      if (!context.quiet()) {
        context.console().say(RunFigures.of(llm.stats(), watch.nanos()).summary());
      }
    }
    return 0;
  }
}
