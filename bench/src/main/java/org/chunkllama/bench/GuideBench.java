package org.chunkllama.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.chunkllama.files.ModelFile;
import org.chunkllama.guide.CompiledGuide;
import org.chunkllama.guide.Guide;
import org.chunkllama.guide.GuideCompiler;
import org.chunkllama.guide.GuideMatcher;
import org.chunkllama.sample.Sampler;
import org.chunkllama.sample.SamplerState;
import org.chunkllama.sample.SamplingOptions;
import org.chunkllama.text.Tokenizer;
import org.chunkllama.text.Tokenizers;

/**
 * What guides cost with a model's vocabulary: making one ready, finding the tokens that may follow
 * where nobody was before, and masking one row of logits. Tokens are drawn from random logits, so
 * that many states are visited.
 */
public final class GuideBench {
  /** Guides by name. */
  private static final Map<String, Guide> GUIDES = new LinkedHashMap<>();

  static {
    GUIDES.put("choice", Guide.choice(List.of("positive", "negative", "neutral")));
    GUIDES.put("regex", Guide.regex("[A-Z][a-z]+( [A-Z][a-z]+){1,3}, \\d{4}-\\d{2}-\\d{2}"));
    GUIDES.put(
        "schema",
        Guide.jsonSchema(
            """
            {"type":"object","properties":{"name":{"type":"string","maxLength":40},
            "age":{"type":"integer","minimum":0,"maximum":130},"email":{"type":"string","format":"email"},
            "tags":{"type":"array","items":{"type":"string"},"maxItems":5},
            "address":{"type":"object","properties":{"street":{"type":"string"},
            "city":{"enum":["Berlin","Paris","Rome"]}},"required":["street","city"]}},
            "required":["name","age","email","tags","address"]}\
            """));
    GUIDES.put("json object", Guide.jsonObject());
  }

  /**
   * A guide's cost, in nanoseconds.
   *
   * @param compile making it ready, the trie of the vocabulary not included
   * @param tokens drawn
   * @param finds searches for the tokens that may follow, one per new state
   * @param findMean mean time of a search
   * @param findMax longest search
   * @param mask mean time to mask a row and take note of the token, searches not included
   */
  public record Cost(
      String guide, long compile, int tokens, long finds, long findMean, long findMax, long mask) {}

  private final Tokenizer tokenizer;

  private GuideBench(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** Measures with the vocabulary of a model. */
  public static List<Cost> run(Path model, int tokens) {
    try (ModelFile file = ModelFile.open(model);
        Tokenizer tokenizer = Tokenizers.of(file.tokenizer())) {
      GuideBench bench = new GuideBench(tokenizer);
      bench.measureAll(tokens); // warms the code, not the guides
      return bench.measureAll(tokens);
    }
  }

  private List<Cost> measureAll(int tokens) {
    GuideCompiler compiler = new GuideCompiler(tokenizer);
    compiler.compile(Guide.literal("")); // makes the trie
    List<Cost> costs = new ArrayList<>();
    GUIDES.forEach((name, guide) -> costs.add(measure(compiler, name, guide, tokens)));
    return costs;
  }

  private Cost measure(GuideCompiler compiler, String name, Guide guide, int tokens) {
    long begun = System.nanoTime();
    CompiledGuide compiled = compiler.compile(guide);
    long compile = System.nanoTime() - begun;
    int[] endIds = tokenizer.eosIds().stream().mapToInt(Integer::intValue).sorted().toArray();
    Sampler sampler = new Sampler(tokenizer.vocabularySize());
    SamplerState state = SamplerState.start(SamplingOptions.greedy(), 0, new int[0], endIds, 0);
    Random random = new Random(1);
    float[] logits = new float[tokenizer.vocabularySize()];
    GuideMatcher matcher = new GuideMatcher(compiled, endIds, false);
    long mask = 0;
    for (int i = 0; i < tokens; i++) {
      for (int id = 0; id < logits.length; id++) {
        logits[id] = random.nextFloat();
      }
      long before = System.nanoTime();
      matcher.mask(logits);
      mask += System.nanoTime() - before;
      int token = sampler.sample(logits, state, null);
      before = System.nanoTime();
      matcher.accept(token);
      boolean ended = matcher.isComplete() || tokenizer.eosIds().contains(token);
      mask += System.nanoTime() - before;
      if (ended) {
        matcher = new GuideMatcher(compiled, endIds, false);
      }
    }
    long finds = compiled.masks();
    return new Cost(
        name,
        compile,
        tokens,
        finds,
        compiled.maskNanos() / Math.max(1, finds),
        compiled.maskNanosMax(),
        (mask - compiled.maskNanos()) / tokens);
  }
}
