package org.chunkllama.bench.faults;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** Two tenants with equal prompts: they share nothing, and time tells neither of the other. */
final class Strangers {
  private static final int ROUNDS = 15;
  private static final int ATTEMPTS = 6;
  private static final int PROMPT_TOKENS = 400;

  /** So many tokens do random prompts of one tenant never have in common; a leak would be all. */
  private static final int BY_CHANCE = 4;

  /** How far medians of equal things lie apart on a busy machine. */
  private static final double NOISE = 1.35;

  private Strangers() {}

  static Fault fault() throws IOException {
    Path keys = Files.createTempFile("chunkllama-keys", ".yaml");
    keys.toFile().deleteOnExit();
    Files.writeString(keys, "left: key-left\nright: key-right\n");
    return Fault.own(
        "two tenants with equal prompts", List.of("--api-keys", keys.toString()), Strangers::run);
  }

  private static String run(ServerProcess server) throws Exception {
    try (Calls left = new Calls(server, Calls.FIRST_TENANT);
        Calls right = new Calls(server, Calls.SECOND_TENANT)) {
      Ratios ratios = compare(left, right, 1000);
      // What else the machine does passes, a leak does not.
      for (int i = 2; i <= ATTEMPTS && !ratios.isNoise(); i++) {
        ratios = compare(left, right, 1000L * i);
      }
      FaultException.unless(
          ratios.isNoise(),
          "another tenant's prompt takes %.2f times as long as a new one".formatted(ratios.others));
      return "no token shared; time for the other's prompt / a new one %.2f, for one's own / a new one %.2f"
          .formatted(ratios.others, ratios.own);
    }
  }

  /** Times against that of a new prompt: of another tenant's, of one's own. */
  private record Ratios(double others, double own) {
    boolean isNoise() {
      return others > 1 / NOISE && others < NOISE;
    }
  }

  private static Ratios compare(Calls left, Calls right, long firstSeed) throws Exception {
    double[] own = new double[ROUNDS];
    double[] others = new double[ROUNDS];
    double[] fresh = new double[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      long seed = firstSeed + 2L * i;
      time(left, seed, false);
      own[i] = time(left, seed, true);
      // In turns, so that what else the machine does hits both.
      if (i % 2 == 0) {
        others[i] = time(right, seed, false);
        fresh[i] = time(right, seed + 1, false);
      } else {
        fresh[i] = time(right, seed + 1, false);
        others[i] = time(right, seed, false);
      }
    }
    return new Ratios(median(others) / median(fresh), median(own) / median(fresh));
  }

  /** Seconds to the one token; checks whether any of the prompt was cached. */
  private static double time(Calls tenant, long seed, boolean cached) throws Exception {
    String body = Calls.text(Calls.completion(Calls.prompt(seed, PROMPT_TOKENS), 1));
    long begin = System.nanoTime();
    var response = tenant.post(Calls.COMPLETIONS, body);
    double seconds = (System.nanoTime() - begin) / 1e9;
    FaultException.unless(
        response.statusCode() == 200, response.statusCode() + ": " + response.body());
    JsonNode details = Calls.parse(response.body()).at("/usage/prompt_tokens_details");
    int tokens = details.isObject() ? details.get("cached_tokens").intValue() : 0;
    FaultException.unless(
        cached ? tokens > PROMPT_TOKENS / 2 : tokens < BY_CHANCE,
        "%d tokens of the prompt came from the cache".formatted(tokens));
    return seconds;
  }

  private static double median(double[] values) {
    return Arrays.stream(values).sorted().skip(ROUNDS / 2).findFirst().orElseThrow();
  }
}
