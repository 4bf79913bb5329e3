package org.chunkllama.cli;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.sample.SamplingOptions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How tokens are drawn and when an answer ends: the options that chat and generate share. */
final class SamplingArguments {
  @Spec(Spec.Target.MIXEE)
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      defaultValue = "0",
      description = "0 = greedy, always the likeliest token. Default: ${DEFAULT-VALUE}.")
  private double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      defaultValue = "0",
      description = "Draw from the K likeliest tokens; 0 = all. Default: ${DEFAULT-VALUE}.")
  private int topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      defaultValue = "1",
      description =
          "Draw from the likeliest tokens with this much probability in all. Default:"
              + " ${DEFAULT-VALUE}.")
  private double topP = 1;

  @Option(
      names = "--min-p",
      paramLabel = "P",
      defaultValue = "0",
      description =
          "Drop tokens less likely than P times the likeliest. Default: ${DEFAULT-VALUE}.")
  private double minP;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "X",
      defaultValue = "1",
      description = "For tokens of prompt and answer; 1 = off. Default: ${DEFAULT-VALUE}.")
  private double repetitionPenalty = 1;

  @Option(
      names = "--presence-penalty",
      paramLabel = "X",
      defaultValue = "0",
      description = "Subtracted once for each token in the answer. Default: ${DEFAULT-VALUE}.")
  private double presencePenalty;

  @Option(
      names = "--frequency-penalty",
      paramLabel = "X",
      defaultValue = "0",
      description = "Subtracted each time a token occurs in the answer. Default: ${DEFAULT-VALUE}.")
  private double frequencyPenalty;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Equal seeds give equal draws. Default: random.")
  private @Nullable Long seed;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      defaultValue = "512",
      description = "Most tokens of an answer. Default: ${DEFAULT-VALUE}.")
  private int maxTokens = 512;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "Ends the answer; not part of it. May be given several times.")
  private List<String> stop = new ArrayList<>();

  @Option(
      names = "--stop-id",
      paramLabel = "ID",
      description = "Token id that ends the answer. May be given several times.")
  private List<Integer> stopIds = new ArrayList<>();

  @Option(names = "--ignore-eos", description = "Go on after the model's end-of-sequence token.")
  private boolean ignoreEos;

  @Option(
      names = "--n",
      paramLabel = "N",
      defaultValue = "1",
      description = "Answers to each prompt; they share its memory. Default: ${DEFAULT-VALUE}.")
  private int n = 1;

  @Option(
      names = "--beams",
      paramLabel = "N",
      defaultValue = "1",
      description = "Beams to search with; 1 = no beam search. Default: ${DEFAULT-VALUE}.")
  private int beams = 1;

  @Option(
      names = "--logprobs",
      paramLabel = "N",
      description = "Log probability of each token and of the N likeliest (with --json).")
  private @Nullable Integer logprobs;

  boolean wantsLogprobs() {
    return logprobs != null;
  }

  /** Answers to each prompt. */
  int answers() {
    return n;
  }

  /** True if an answer comes token by token: one of it, no beams. */
  boolean streams() {
    return n == 1 && beams == 1;
  }

  /**
   * The same options as the library takes them.
   *
   * @throws ParameterException if one is out of range or two contradict each other
   */
  GenerationOptions generationOptions() {
    try {
      return toLibrary();
    } catch (InvalidRequestException e) {
      throw new ParameterException(
          spec.commandLine(), OptionNames.in(String.valueOf(e.getMessage())), e);
    }
  }

  private GenerationOptions toLibrary() {
    SamplingOptions sampling =
        SamplingOptions.temperature(temperature)
            .withTopK(topK)
            .withTopP(topP)
            .withMinP(minP)
            .withRepetitionPenalty(repetitionPenalty)
            .withPresencePenalty(presencePenalty)
            .withFrequencyPenalty(frequencyPenalty);
    if (seed != null) {
      sampling = sampling.withSeed(seed);
    }
    return GenerationOptions.defaults()
        .withSampling(sampling)
        .withMaxTokens(maxTokens)
        .withStop(stop.toArray(String[]::new))
        .withStopIds(stopIds)
        .withIgnoreEos(ignoreEos)
        .withBeams(beams)
        .withN(n)
        .withLogprobs(logprobs == null ? GenerationOptions.NO_LOGPROBS : logprobs);
  }
}
