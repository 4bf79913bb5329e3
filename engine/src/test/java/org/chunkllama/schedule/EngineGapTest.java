package org.chunkllama.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.sample.SamplingOptions;
import org.chunkllama.sample.TokenLogprobs;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.RowDraws;
import org.chunkllama.spi.RowSampler;
import org.chunkllama.spi.Tensor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * What a device that computes by itself waits for between two steps of 128 sequences: the engine,
 * from a step's tokens to the next forward pass. Needs no device: nothing is computed.
 */
class EngineGapTest {
  private static final Logger LOG = System.getLogger(EngineGapTest.class.getName());
  private static final int BATCH = 128;
  private static final int ROUNDS = 30;
  private static final int TOKENS = 180;

  /** The figure of docs/cuda.md is far below; an overloaded machine may take several times that. */
  private static final double MICROS_MAX = 1000;

  /** Draws a token of its own for each row, computes nothing. */
  private static final class Nothing implements RowSampler {
    private long drawn;

    Backend backend(boolean queues) {
      return FrontBackend.of(
          EngineFixture.reference(),
          (method, _, pass) ->
              switch (method) {
                case "queuesSteps" -> queues;
                case "rowSampler" -> Optional.of(this);
                case "step", "prepareStep" -> null;
                default -> pass.on();
              });
    }

    @Override
    public void start(Tensor logits, RowDraws draws) {}

    @Override
    public void finish(RowDraws draws) {
      for (int i = 0; i < draws.count; i++) {
        draws.token[i] = (int) ((drawn++ * 0x9E3779B97F4A7C15L) >>> 58);
      }
    }
  }

  /** Hands tokens to a thread that waits for them, as a server does. */
  private static final class Streaming extends Recorder {
    private static final String END = "end";

    private final LinkedBlockingQueue<String> pieces = new LinkedBlockingQueue<>();

    Streaming() {
      Thread.ofVirtual().start(this::read);
    }

    @SuppressWarnings("ReferenceEquality") // the end itself
    private void read() {
      try {
        while (pieces.take() != END) {
          // nobody reads it
        }
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void done() {
      pieces.add(END);
    }

    @Override
    public void token(int index, int token, String text, @Nullable TokenLogprobs logprobs) {
      pieces.add(text);
    }
  }

  private static double microsPerStep(boolean queues) {
    LetterTokenizer tokenizer = new LetterTokenizer(64, List.of());
    EngineLimits limits = new EngineLimits(256, 256, BATCH, true);
    double least = Double.MAX_VALUE;
    try (EngineFixture fixture =
        new EngineFixture(4096, limits, tokenizer, new Nothing().backend(queues))) {
      int[] prefix = EngineFixture.prompt(1, 32);
      GenerationOptions drawn =
          EngineFixture.options(TOKENS).withSampling(SamplingOptions.temperature(1).withSeed(1));
      for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < BATCH; i++) {
          int[] own = EngineFixture.prompt(1000 * round + i, 1 + i % 16);
          fixture.submit(EngineFixture.join(prefix, own), drawn, "", new Streaming());
        }
        for (int i = 0; i < 20; i++) {
          fixture.engine.step(); // all have joined
        }
        EngineStats before = fixture.engine.stats();
        for (int i = 0; i < TOKENS / 2; i++) {
          fixture.engine.step();
        }
        EngineStats after = fixture.engine.stats();
        double nanos = after.gapNanos() - before.gapNanos();
        least = Math.min(least, nanos / 1e3 / (after.steps() - before.steps()));
        fixture.run();
      }
    }
    return least;
  }

  @Test
  void theDeviceWaitsMicroseconds() {
    double late = microsPerStep(false);
    double ahead = microsPerStep(true);
    LOG.log(
        Level.INFO,
        "%d sequences: %.1f us from tokens to the next forward pass, %.1f us if all is done then"
            .formatted(BATCH, ahead, late));
    assertThat(ahead).isLessThan(MICROS_MAX).isLessThan(late);
  }
}
