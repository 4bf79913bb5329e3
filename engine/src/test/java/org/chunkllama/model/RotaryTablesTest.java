package org.chunkllama.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Objects;
import org.chunkllama.spi.RotaryTable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** Goldens from transformers: tools/goldens/rotary.py. */
class RotaryTablesTest {
  private static final JsonNode GOLDENS = goldens();

  private static JsonNode goldens() {
    try (InputStream in =
        Objects.requireNonNull(
            RotaryTablesTest.class.getResourceAsStream("/goldens/rotary.json"))) {
      return new ObjectMapper().readTree(in);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  static List<JsonNode> cases() {
    return GOLDENS.get("cases").valueStream().toList();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void equalsTransformers(JsonNode golden) {
    RopeScaling scaling = scaling(golden);
    double theta = golden.get("theta").asDouble();
    int dim = golden.get("dim").asInt();
    float[] frequencies = RotaryTables.frequencies(theta, dim, scaling);
    assertThat(frequencies).hasSize(dim / 2);
    for (int i = 0; i < frequencies.length; i++) {
      float expected = (float) golden.get("frequencies").get(i).asDouble();
      assertThat(frequencies[i]).isCloseTo(expected, within(3e-7f * expected));
    }
    RotaryTable table = RotaryTables.build(config(theta, dim, scaling), 2048);
    JsonNode positions = GOLDENS.get("positions");
    for (int p = 0; p < positions.size(); p++) {
      int position = positions.get(p).asInt();
      // a frequency one ulp away turns into an angle this far off
      float tolerance = 2e-6f + position * 1.2e-7f;
      for (int i = 0; i < dim / 2; i++) {
        int at = position * (dim / 2) + i;
        assertThat(table.cos()[at])
            .isCloseTo((float) golden.get("cos").get(p).get(i).asDouble(), within(tolerance));
        assertThat(table.sin()[at])
            .isCloseTo((float) golden.get("sin").get(p).get(i).asDouble(), within(tolerance));
      }
    }
  }

  @Test
  void perFrequencyFactorsAreLlama3sWrittenOut() {
    RopeScaling.Llama3 llama3 = new RopeScaling.Llama3(8, 1, 4, 8192);
    float[] plain = RotaryTables.frequencies(500_000, 128, new RopeScaling.None());
    float[] scaled = RotaryTables.frequencies(500_000, 128, llama3);
    float[] factors = new float[plain.length];
    for (int i = 0; i < factors.length; i++) {
      factors[i] = plain[i] / scaled[i];
    }
    assertThat(factors[0]).isEqualTo(1f);
    assertThat(factors[63]).isEqualTo(8f);
    float[] each = RotaryTables.frequencies(500_000, 128, new RopeScaling.PerFrequency(factors));
    for (int i = 0; i < each.length; i++) {
      assertThat(each[i]).isCloseTo(scaled[i], within(1e-6f * scaled[i]));
    }
  }

  private static RopeScaling scaling(JsonNode golden) {
    JsonNode rope = golden.get("rope");
    return switch (rope.get("rope_type").asString()) {
      case "default" -> new RopeScaling.None();
      case "linear" -> new RopeScaling.Linear(rope.get("factor").asDouble());
      case "llama3" ->
          new RopeScaling.Llama3(
              rope.get("factor").asDouble(),
              rope.get("low_freq_factor").asDouble(),
              rope.get("high_freq_factor").asDouble(),
              rope.get("original_max_position_embeddings").asInt());
      case "yarn" ->
          new RopeScaling.Yarn(
              rope.get("factor").asDouble(),
              rope.get("original_max_position_embeddings").asInt(),
              rope.path("beta_fast").asDouble(32),
              rope.path("beta_slow").asDouble(1),
              golden.get("attention_factor").asDouble());
      default -> throw new AssertionError(rope);
    };
  }

  private static ModelConfig config(double theta, int dim, RopeScaling scaling) {
    return new ModelConfig(
        "llama",
        1,
        dim,
        1,
        1,
        dim,
        dim,
        2,
        2048,
        1e-5f,
        theta,
        dim,
        scaling,
        RotaryTable.Layout.SPLIT_HALVES,
        false,
        false,
        false,
        true);
  }
}
