package org.chunkllama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.chunkllama.error.ContextLengthException;
import org.chunkllama.error.DeadlineException;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.error.ModelFileException;
import org.chunkllama.error.QueueFullException;
import org.chunkllama.error.ShuttingDownException;
import org.chunkllama.error.TenantLimitException;
import org.chunkllama.files.RandomModel;
import org.chunkllama.guide.Guide;
import org.chunkllama.sample.FinishReason;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.sample.SamplingOptions;
import org.chunkllama.text.Message;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The front door, over a random model on the reference backend. */
class LlmTest {
  private static final LlmOptions OPTIONS =
      LlmOptions.defaults()
          .withBackend("reference")
          .withKvType(LlmOptions.KvType.F32)
          .withPoolBytes(32 << 20)
          .withChunkTokens(16);
  private static final GenerationOptions SHORT =
      GenerationOptions.defaults().withMaxTokens(12).withIgnoreEos(true);

  @TempDir static Path folder;
  private static Path file;
  private static Llm llm;

  @BeforeAll
  static void load() throws IOException {
    file = new RandomModel(RandomModel.llama(), 3).writeGguf(folder.resolve("random.gguf"));
    llm = Llm.load(file, OPTIONS);
  }

  @AfterAll
  static void close() {
    llm.close();
  }

  private static GenerationRequest request(String text) {
    return GenerationRequest.of(text).withOptions(SHORT);
  }

  @Test
  void fiveLines() {
    StringBuilder text = new StringBuilder();
    try (var own = Llm.load(file, OPTIONS)) {
      for (String piece : own.generate("Name three rivers in France.")) {
        text.append(piece);
      }
    }
    GenerationResult again = llm.generate("Name three rivers in France.").result();
    assertThat(text.toString()).isEqualTo(again.text()).isNotEmpty();
    int[] prompt =
        llm.tokenizer()
            .encode(
                "<|im_start|>user\nName three rivers in France.<|im_end|>\n<|im_start|>assistant\n",
                false,
                true);
    assertThat(again.promptTokenIds()).isEqualTo(prompt);
  }

  @Test
  void piecesOfAllCompletionsAddUpToTheResult() {
    GenerationOptions drawn =
        SHORT.withN(3).withLogprobs(2).withSampling(SamplingOptions.temperature(1).withSeed(8));
    Generation generation = llm.generate(request("Tell me.").withOptions(drawn));
    List<StringBuilder> texts = new ArrayList<>();
    List<List<Integer>> tokens = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      texts.add(new StringBuilder());
      tokens.add(new ArrayList<>());
    }
    for (GenerationPiece piece : generation.pieces()) {
      texts.get(piece.index()).append(piece.text());
      for (int id : piece.tokenIds()) {
        tokens.get(piece.index()).add(id);
      }
      assertThat(piece.logprobs()).hasSize(piece.tokenIds().length);
    }
    GenerationResult result = generation.result();
    assertThat(result.completions()).hasSize(3);
    assertThat(result.generatedTokens()).isEqualTo(36);
    for (Completion completion : result.completions()) {
      assertThat(texts.get(completion.index()).toString()).isEqualTo(completion.text());
      assertThat(tokens.get(completion.index()))
          .isEqualTo(IntStream.of(completion.tokenIds()).boxed().toList());
      assertThat(completion.text()).isEqualTo(llm.tokenizer().decode(completion.tokenIds()));
      assertThat(completion.logprobs()).hasSize(12);
      assertThat(completion.finishReason()).isEqualTo(FinishReason.LENGTH);
    }
    assertThat(result.ttftNanos()).isPositive().isLessThan(result.nanos());
  }

  @Test
  void thirtyTwoIdenticalPromptsAtOnceComputeOne() {
    try (Llm own = Llm.load(file, OPTIONS)) {
      GenerationRequest request = request("The same words from everybody.");
      int length = own.encode(request.prompt()).length;
      List<GenerationResult> results =
          own.generateAll(IntStream.range(0, 32).mapToObj(_ -> request).toList());
      assertThat(results).hasSize(32);
      assertThat(results.stream().map(GenerationResult::text).distinct()).hasSize(1);
      LlmStats stats = own.stats();
      assertThat(stats.promptTokensComputed()).isEqualTo(length);
      assertThat(stats.promptTokens()).isEqualTo(32L * length);
      assertThat(stats.generatedTokens()).isEqualTo(32 * 12);
      assertThat(stats.requests()).isEqualTo(32);
      assertThat(stats.kvBytesPeak()).isPositive().isLessThan(stats.kvBytesPeakUnshared());
    }
  }

  @Test
  void resultsComeInTheOrderOfTheRequests() {
    List<GenerationRequest> requests =
        IntStream.range(0, 10).mapToObj(i -> request("Question " + i * i)).toList();
    List<GenerationResult> together = llm.generateAll(requests);
    for (int i = 0; i < requests.size(); i++) {
      assertThat(together.get(i).text()).isEqualTo(llm.generate(requests.get(i)).result().text());
    }
  }

  @Test
  void closingCancelsAndGivesWhatThereIs() {
    Generation generation =
        llm.generate(
            request("Go on and on.")
                .withOptions(GenerationOptions.defaults().withMaxTokens(400).withIgnoreEos(true)));
    int pieces = 0;
    for (String _ : generation) {
      if (++pieces == 3) {
        generation.close();
      }
    }
    GenerationResult result = generation.result();
    assertThat(result.finishReason()).isEqualTo(FinishReason.CANCELLED);
    assertThat(result.tokenIds().length).isBetween(3, 399);
    generation.close();
  }

  @Test
  void aWaitingThreadThatIsInterruptedCancels() throws InterruptedException {
    Generation generation =
        llm.generate(
            request("Go on.")
                .withOptions(GenerationOptions.defaults().withMaxTokens(400).withIgnoreEos(true)));
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    Thread waiting =
        Thread.ofVirtual()
            .start(() -> {
              try {
                generation.result();
              } catch (CancellationException e) {
                thrown.set(e);
              }
            });
    waiting.interrupt();
    waiting.join();
    assertThat(thrown.get()).hasMessageContaining("cancelled");
    assertThat(generation.result().finishReason()).isEqualTo(FinishReason.CANCELLED);
  }

  @Test
  void prefixStaysWarmUntilClosed() {
    String system =
        "You are a lighthouse keeper who answers in rhymes and never sleeps. ".repeat(3);
    try (Llm own = Llm.load(file, OPTIONS)) {
      int[] ids =
          own.encode(
              new Prompt.Chat(List.of(Message.system(system), Message.user("Why is the sky?"))));
      try (Prefix prefix = own.prefix(system)) {
        assertThat(prefix.tokens()).isBetween(100, ids.length);
        GenerationResult result =
            own.generate(prefix.request("Is it dark?").withOptions(SHORT)).result();
        assertThat(result.cachedTokens()).isGreaterThanOrEqualTo(prefix.tokens() / 16 * 16);
        assertThat(own.tree(false).runs()).anyMatch(run -> run.pinned());
        assertThat(result.text())
            .isEqualTo(
                llm.generate(
                        GenerationRequest.chat(
                                List.of(Message.system(system), Message.user("Is it dark?")))
                            .withOptions(SHORT))
                    .result()
                    .text());
      }
      assertThat(own.tree(false).runs()).noneMatch(run -> run.pinned());
      try (Prefix raw = own.prefix(new Prompt.Raw("Once upon a time", false));
          Prefix tokens = own.prefix(new Prompt.Tokens(new int[] {5, 6, 7}))) {
        assertThat(raw.request(" there").prompt())
            .isEqualTo(new Prompt.Raw("Once upon a time there", false));
        assertThat(own.encode(tokens.request("a").prompt())).startsWith(5, 6, 7).hasSize(4);
      }
    }
  }

  @Test
  void whatCannotBeServedSaysSoInOneLine() {
    Generation tooLong = llm.generate(GenerationRequest.tokens(new int[600]));
    assertThatThrownBy(tooLong::result)
        .isInstanceOf(ContextLengthException.class)
        .hasMessageContaining("600 tokens, the context is 512");
    assertThatThrownBy(() -> tooLong.iterator().hasNext())
        .isInstanceOf(ContextLengthException.class);
    assertThatThrownBy(() -> llm.generate(GenerationRequest.tokens(-1)).result())
        .isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> llm.generate(GenerationRequest.raw("")).result())
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("empty");
    assertThatThrownBy(() -> llm.prefix(new Prompt.Tokens(new int[700])))
        .isInstanceOf(ContextLengthException.class);
    assertThatThrownBy(() -> Llm.load(Path.of("no-such-file.gguf")))
        .isInstanceOf(ModelFileException.class);
    assertThatThrownBy(() -> Llm.load(file, OPTIONS.withContext(513)))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("the model's 512");
    assertThatThrownBy(() -> Llm.load(file, OPTIONS.withBackend("abacus")))
        .isInstanceOf(InvalidRequestException.class);
  }

  @Test
  void oneBadRequestOfABatchLeavesTheOthers() {
    List<Generation> generations =
        llm.submitAll(
            List.of(request("good"), GenerationRequest.tokens(9999), request("also good")));
    assertThat(generations.get(0).result().tokenIds()).hasSize(12);
    assertThatThrownBy(() -> generations.get(1).result())
        .isInstanceOf(InvalidRequestException.class);
    assertThat(generations.get(2).result().tokenIds()).hasSize(12);
  }

  @Test
  void aFullQueueBlocksButLosesNothing() throws InterruptedException {
    try (Llm own = Llm.load(file, OPTIONS.withQueueCapacity(2).withMaxSequences(2))) {
      List<Thread> threads = new ArrayList<>();
      List<String> texts = java.util.Collections.synchronizedList(new ArrayList<>());
      for (int i = 0; i < 24; i++) {
        GenerationRequest request = request("number " + i);
        threads.add(
            Thread.ofVirtual().start(() -> texts.add(own.generate(request).result().text())));
      }
      texts.add(
          own.generateAll(IntStream.range(0, 7).mapToObj(i -> request("list " + i)).toList())
              .getLast()
              .text());
      for (Thread thread : threads) {
        thread.join();
      }
      assertThat(texts).hasSize(25);
      assertThat(own.stats().requests()).isEqualTo(31);
    }
  }

  @Test
  void closingFailsWhatRunsAndWhatComes() {
    Llm own = Llm.load(file, OPTIONS);
    Generation running =
        own.generate(
            request("x")
                .withOptions(GenerationOptions.defaults().withMaxTokens(400).withIgnoreEos(true)));
    own.close();
    own.close();
    assertThatThrownBy(running::result).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> own.generate(request("y")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the model is closed");
    assertThatThrownBy(own::stats).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void optionsReachTheEngine() {
    try (Llm own =
        Llm.load(file, OPTIONS.withContext(100).withPrefixSharing(false).withChunkFirst(false))) {
      assertThat(own.context()).isEqualTo(100);
      assertThat(own.description()).contains("context 100").contains("F32");
      own.generate(request("once")).result();
      assertThat(own.generate(request("once")).result().cachedTokens()).isZero();
      assertThat(own.config().architecture()).isEqualTo("llama");
      assertThat(own.name()).isEqualTo("random llama");
      assertThat(own.chatTemplate().isUsable()).isTrue();
    }
  }

  @Test
  void aGuideShapesTheAnswer() {
    Guide guide =
        Guide.jsonSchema(
            "{\"type\":\"object\",\"properties\":{\"ok\":{\"type\":\"boolean\"},"
                + "\"n\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":99}},"
                + "\"required\":[\"ok\",\"n\"],\"additionalProperties\":false}");
    GenerationOptions options =
        GenerationOptions.defaults()
            .withMaxTokens(200)
            .withN(3)
            .withSampling(SamplingOptions.temperature(1).withSeed(5))
            .withGuide(guide);
    GenerationResult result = llm.generate(request("Tell me.").withOptions(options)).result();
    for (Completion completion : result.completions()) {
      assertThat(completion.text())
          .matches("(?s)\\{\\s*\"ok\": ?(true|false),\\s*\"n\": ?[1-9]?[0-9]\\s*}");
      assertThat(completion.finishReason()).isEqualTo(FinishReason.STOP);
    }
    assertThatThrownBy(() ->
            llm.trySubmit(
                request("x").withOptions(SHORT.withGuide(Guide.jsonSchema("{\"not\":{}}")))))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("'not'");
  }

  @Test
  void theBestOfSeveralByMeanLogprob() {
    GenerationOptions options =
        SHORT.withN(2).withBestOf(6).withSampling(SamplingOptions.temperature(1.5).withSeed(5));
    Generation generation = llm.generate(request("Tell me.").withOptions(options));
    List<GenerationPiece> pieces = new ArrayList<>();
    generation.pieces().forEach(pieces::add);
    GenerationResult best = generation.result();
    GenerationResult all =
        llm.generate(
                request("Tell me.").withOptions(options.withN(6).withBestOf(0).withLogprobs(0)))
            .result();
    List<String> ranked =
        all.completions().stream()
            .sorted(
                java.util.Comparator.comparingDouble(
                    c -> -c.logprobs().stream().mapToDouble(l -> l.logprob()).average().orElse(0)))
            .map(Completion::text)
            .toList();
    assertThat(best.completions()).extracting(Completion::text).isEqualTo(ranked.subList(0, 2));
    assertThat(best.completions()).allMatch(c -> c.logprobs().isEmpty() && c.score() < 0);
    assertThat(pieces).extracting(GenerationPiece::text).isEqualTo(ranked.subList(0, 2));
  }

  @Test
  void prefixesAreListedExpireAndLetGo() throws InterruptedException {
    try (Llm own = Llm.load(file, OPTIONS)) {
      int[] ids = IntStream.range(1, 60).toArray();
      PrefixOptions options =
          PrefixOptions.defaults().withSalt("s").withTenant("t").withTtl(Duration.ofMillis(300));
      Prefix shortLived = own.prefix(new Prompt.Tokens(ids), options);
      Prefix kept = own.prefix(new Prompt.Tokens(ids), options.withTtl(Duration.ZERO));
      assertThat(own.prefixes()).containsExactly(shortLived, kept);
      assertThat(shortLived.timeLeft()).hasValueSatisfying(t -> assertThat(t).isPositive());
      assertThat(kept.timeLeft()).isEmpty();
      GenerationRequest request = kept.request("x").withOptions(SHORT);
      assertThat(request.salt()).isEqualTo("s");
      assertThat(request.tenant()).isEqualTo("t");
      assertThat(own.generate(request).result().cachedTokens()).isGreaterThanOrEqualTo(48);
      Thread.sleep(350);
      assertThat(own.prefixes()).containsExactly(kept);
      assertThat(own.unpin(shortLived.id())).isFalse();
      assertThat(own.unpin(kept.id())).isTrue();
      assertThat(own.unpin(kept.id())).isFalse();
      assertThat(own.prefixes()).isEmpty();
    }
  }

  @Test
  void aPrefixThatCannotBeBegunNowIsAnAnswer() throws Exception {
    try (Llm own = Llm.load(file, OPTIONS.withQueueCapacity(2).withMaxSequences(1))) {
      Prompt ids = new Prompt.Tokens(IntStream.range(1, 60).toArray());
      PrefixOptions options = PrefixOptions.defaults();
      Generation running = own.trySubmit(request("Go on.").withOptions(SHORT.withMaxTokens(400)));
      while (own.stats().running() == 0) {
        Thread.onSpinWait();
      }
      CompletableFuture<Prefix> unwanted = own.tryPrefix(ids, options);
      CompletableFuture<Prefix> wanted = own.tryPrefix(ids, options);
      assertThatThrownBy(() -> own.tryPrefix(ids, options)).isInstanceOf(QueueFullException.class);
      assertThat(unwanted.cancel(false)).isTrue();
      while (own.stats().waiting() > 1) {
        Thread.onSpinWait();
      }
      assertThat(wanted.isDone()).isFalse();
      running.close();
      Prefix prefix = wanted.get(60, TimeUnit.SECONDS);
      assertThat(own.prefixes()).containsExactly(prefix);
      prefix.close();
      assertThat(own.tree(false).chunksLive()).isZero();
    }
  }

  @Test
  void limitsQueueDeadlineAndDrain() {
    try (Llm own = Llm.load(file, OPTIONS.withQueueCapacity(2).withMaxSequences(1))) {
      own.limitTenant("t", TenantLimits.none().withRequests(1));
      GenerationRequest longOne = request("Go on.").withOptions(SHORT.withMaxTokens(400));
      Generation first = own.trySubmit(longOne.withTenant("t"));
      assertThatThrownBy(() -> own.trySubmit(request("x").withTenant("t")))
          .isInstanceOf(TenantLimitException.class);
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < 4; i++) {
                  own.trySubmit(longOne);
                }
              })
          .isInstanceOf(QueueFullException.class);
      first.close();
      first.result();
      Generation late = own.generate(longOne.withDeadline(Duration.ofNanos(1)));
      assertThatThrownBy(late::result).isInstanceOf(DeadlineException.class);
      assertThat(own.drain(Duration.ofSeconds(60))).isTrue();
      assertThat(own.isAccepting()).isFalse();
      assertThatThrownBy(() -> own.trySubmit(request("x")))
          .isInstanceOf(ShuttingDownException.class);
      LlmStats stats = own.stats();
      assertThat(stats.deadlines()).isEqualTo(1);
      assertThat(stats.kvUsage()).isZero();
      assertThat(stats.chunksFree() + stats.chunksRetained()).isEqualTo(stats.chunksTotal());
      assertThat(stats.planNanos() + stats.modelNanos() + stats.outputNanos())
          .isEqualTo(stats.prefillNanos() + stats.decodeNanos());
    }
  }
}
