package org.chunkllama.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.chunkllama.GenerationRequest;
import org.chunkllama.Llm;
import org.chunkllama.sample.GenerationOptions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code generate}: answers to one or many prompts, decoded together. */
@Command(
    name = "generate",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    abbreviateSynopsis = true,
    description = "Answer one prompt, or many together.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  chunkllama generate \"Why is the sky blue?\"",
      "  chunkllama generate --temperature 0.7 --seed 7 \"Write a haiku about rivers.\"",
      "  chunkllama generate --prompts questions.jsonl --system system.txt --json --stats run.json",
      "  chunkllama generate --raw \"Once upon a time\" --model hf:HuggingFaceTB/SmolLM2-360M",
      "",
      "--json prints a line for each answer, in the order of the prompts, with index,",
      "prompt_token_ids, token_ids, text, finish_reason (stop, length, error) and cached_tokens."
    })
final class GenerateCommand implements Callable<Integer> {
  private final Context context;

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Mixin private final PromptArguments prompts = new PromptArguments();
  @Mixin private final ModelOptions modelOptions = new ModelOptions();
  @Mixin private final SamplingArguments sampling = new SamplingArguments();

  @Option(names = "--json", description = "Print a JSON line for each answer.")
  private boolean json;

  @Option(
      names = "--stats",
      paramLabel = "FILE",
      description = "Write the run's figures to FILE as JSON.")
  private @Nullable Path stats;

  GenerateCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException {
    GenerationOptions options = sampling.generationOptions();
    if (sampling.wantsLogprobs() && !json) {
      throw new ParameterException(spec.commandLine(), "--logprobs needs --json");
    }
    List<PromptLine> lines = prompts.read(context.console());
    String system = prompts.system();
    List<GenerationRequest> requests =
        lines.stream()
            .map(line -> GenerationRequest.of(line.toPrompt(system, prompts.raw())))
            .map(request -> request.withOptions(options))
            .toList();
    try (Llm llm = Models.load(modelOptions, context)) {
      long begin = System.nanoTime();
      boolean allDone = new Answers(context.console(), llm, lines).run(requests, format());
      finish(RunFigures.of(llm.stats(), System.nanoTime() - begin));
      return allDone ? 0 : ChunkLlama.FAILED;
    }
  }

  private Answers.Format format() {
    if (json) {
      return Answers.Format.JSON;
    }
    return sampling.streams() ? Answers.Format.STREAM : Answers.Format.TEXT;
  }

  private void finish(RunFigures figures) throws IOException {
    if (stats != null) {
      Files.writeString(stats, Json.indented(figures.json()) + "\n");
    }
    if (!context.quiet()) {
      context.console().say(figures.summary());
    }
  }
}
