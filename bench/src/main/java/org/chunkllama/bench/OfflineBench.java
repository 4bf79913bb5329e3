package org.chunkllama.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.chunkllama.GenerationRequest;
import org.chunkllama.GenerationResult;
import org.chunkllama.Llm;
import org.chunkllama.LlmStats;
import org.chunkllama.sample.GenerationOptions;

/**
 * Five figures of a model in this process: prompt, decode, batch, shared prefix cold and warm. What
 * vLLM's and llama.cpp's scripts measure, in the same way: random token ids, greedy, the
 * end-of-sequence token ignored, wall-clock time from submission to the last token.
 */
public final class OfflineBench {
  private static final int LOWEST_ID = 100;
  private static final int HIGHEST_ID = 40_000; // exclusive

  private final Llm llm;
  private final OfflineWorkload workload;
  private final SplittableRandom random;
  private final int lowestId;
  private final int highestId;

  /** Measures {@code llm}; {@code seed} decides the prompts. */
  public OfflineBench(Llm llm, OfflineWorkload workload, long seed) {
    this.llm = llm;
    this.workload = workload;
    this.random = new SplittableRandom(seed);
    this.highestId = Math.min(HIGHEST_ID, llm.config().vocabulary());
    this.lowestId = Math.min(LOWEST_ID, highestId / 2);
  }

  /** A short request, so that the first round does not pay for what happens once. */
  public void warmUp() {
    seconds(List.of(ids(workload.tail())), 4);
  }

  /** One round; the second is the one to quote. */
  public OfflineResult round() {
    double prompt = workload.prefix() / prompt();
    double single = workload.single() / single();
    double tokens = (double) workload.requests() * workload.output();
    double batch = tokens / batch();
    List<int[]> shared = sharedPrompts();
    double cold = tokens / seconds(shared, workload.output());
    double warm = tokens / seconds(shared, workload.output());
    LlmStats stats = llm.stats();
    return new OfflineResult(
        prompt, single, batch, cold, warm, stats.kvBytesPeak(), stats.kvBytesPeakUnshared());
  }

  /** Seconds for one long prompt and its first token. */
  double prompt() {
    return seconds(List.of(ids(workload.prefix())), 1);
  }

  /** Seconds for one request alone. */
  double single() {
    return seconds(List.of(ids(workload.tail())), workload.single());
  }

  /** Seconds for short requests that share nothing. */
  double batch() {
    List<int[]> prompts =
        IntStream.range(0, workload.requests()).mapToObj(_ -> ids(workload.tail())).toList();
    return seconds(prompts, workload.output());
  }

  /** New prompts with a common prefix. */
  List<int[]> sharedPrompts() {
    int[] prefix = ids(workload.prefix());
    return IntStream.range(0, workload.requests())
        .mapToObj(_ -> IntStream.concat(IntStream.of(prefix), IntStream.of(ids(workload.tail()))))
        .map(IntStream::toArray)
        .toList();
  }

  /** Seconds for {@code prompts} together, {@code output} tokens each. */
  double seconds(List<int[]> prompts, int output) {
    GenerationOptions options =
        GenerationOptions.defaults().withMaxTokens(output).withIgnoreEos(true);
    List<GenerationRequest> requests = new ArrayList<>();
    for (int[] prompt : prompts) {
      requests.add(GenerationRequest.tokens(prompt).withOptions(options));
    }
    long begin = System.nanoTime();
    List<GenerationResult> results = llm.generateAll(requests);
    long nanos = System.nanoTime() - begin;
    int generated = results.stream().mapToInt(GenerationResult::generatedTokens).sum();
    if (generated != prompts.size() * output) {
      throw new IllegalStateException(
          "%d tokens came instead of %d".formatted(generated, prompts.size() * output));
    }
    return (double) nanos / TimeUnit.SECONDS.toNanos(1);
  }

  private int[] ids(int count) {
    return IntStream.generate(() -> random.nextInt(lowestId, highestId)).limit(count).toArray();
  }
}
