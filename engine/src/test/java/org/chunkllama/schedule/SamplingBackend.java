package org.chunkllama.schedule;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.RowDraws;
import org.chunkllama.spi.RowSampler;
import org.chunkllama.spi.Tensor;
import org.jspecify.annotations.Nullable;

/** The reference backend with a row sampler of its own, by sorting. Counts what is asked of it. */
final class SamplingBackend implements RowSampler {
  private final int brokenEvery;
  private float[] row = {};
  private @Nullable Tensor logits;

  /** Calls of {@link #finish}. */
  int calls;

  /** Draws in them. */
  int draws;

  /** Calls of {@link Backend#argmax}. */
  int argmaxes;

  /** Says of every so many-th draw that it cannot; 0 = of none. */
  SamplingBackend(int brokenEvery) {
    this.brokenEvery = brokenEvery;
  }

  /** The backend. */
  Backend backend() {
    return FrontBackend.of(
        EngineFixture.reference(),
        (method, _, pass) -> {
          if (method.equals("rowSampler")) {
            return Optional.of(this);
          }
          argmaxes += method.equals("argmax") ? 1 : 0;
          return pass.on();
        });
  }

  @Override
  public void start(Tensor logits, RowDraws draws) {
    this.logits = logits;
  }

  @Override
  public void finish(RowDraws draws) {
    Tensor logits = Objects.requireNonNull(this.logits, "nothing was begun");
    this.logits = null;
    calls++;
    row = new float[draws.vocabulary()];
    for (int i = 0; i < draws.count; i++) {
      boolean broken = brokenEvery > 0 && this.draws++ % brokenEvery == 0;
      logits.read(draws.row[i], row, 0);
      if (draws.listed[i] != RowDraws.UNSCORED) {
        list(draws, i);
      }
      float[] raw = row.clone();
      change(draws, i);
      draws.token[i] = broken ? RowDraws.BROKEN : token(draws, i);
      if (!broken && draws.listed[i] != RowDraws.UNSCORED) {
        draws.logprob[i] = (float) (raw[draws.token[i]] - logSum(raw));
      }
    }
  }

  private void change(RowDraws draws, int i) {
    int edit = draws.firstEdit[i];
    for (int k = 0; k < draws.biases[i]; k++, edit++) {
      row[draws.editToken[edit]] += Float.intBitsToFloat(draws.editValue[edit]);
    }
    for (int k = 0; k < draws.bans[i]; k++, edit++) {
      row[draws.editToken[edit]] = Float.NEGATIVE_INFINITY;
    }
    for (int k = 0; k < draws.penalties[i]; k++, edit++) {
      int token = draws.editToken[edit];
      int times = draws.editValue[edit];
      float l = row[token];
      l = l > 0 ? l / draws.repetition[i] : l * draws.repetition[i];
      row[token] = times == 0 ? l : l - (draws.frequency[i] * times + draws.presence[i]);
    }
    int mask = draws.maskIndex[i] * draws.maskWords();
    for (int id = 0; mask >= 0 && id < row.length; id++) {
      if ((draws.maskBits[mask + id / 64] & 1L << id) == 0) {
        row[id] = Float.NEGATIVE_INFINITY;
      }
    }
  }

  private Integer[] ranked() {
    Integer[] ids = new Integer[row.length];
    Arrays.setAll(ids, id -> id);
    Arrays.sort(ids, Comparator.comparingDouble((Integer id) -> -row[id]).thenComparing(id -> id));
    return ids;
  }

  private int token(RowDraws draws, int i) {
    Integer[] ranked = ranked();
    float max = row[ranked[0]];
    if (draws.inverse[i] == 0) {
      return ranked[0];
    }
    List<Integer> kept = new ArrayList<>();
    for (int id : ranked) {
      if (row[id] > Float.NEGATIVE_INFINITY && row[id] >= max + draws.margin[i]) {
        kept.add(id);
      }
    }
    if (draws.topK[i] > 0) {
      kept = kept.subList(0, Math.min(kept.size(), draws.topK[i]));
    }
    double all = weight(kept, max, draws.inverse[i]);
    for (int n = 1; draws.topP[i] < 1 && n < kept.size(); n++) {
      if (weight(kept.subList(0, n), max, draws.inverse[i]) >= draws.topP[i] * all) {
        kept = kept.subList(0, n);
      }
    }
    List<Integer> byId = kept.stream().sorted().toList();
    double target = draws.uniform[i] * weight(byId, max, draws.inverse[i]);
    int at = 0;
    while (at < byId.size() - 1
        && weight(byId.subList(0, at + 1), max, draws.inverse[i]) <= target) {
      at++;
    }
    return byId.get(at);
  }

  private double weight(List<Integer> ids, float max, float inverse) {
    return ids.stream().mapToDouble(id -> Math.exp((row[id] - max) * inverse)).sum();
  }

  private static double logSum(float[] values) {
    double sum = 0;
    for (float value : values) {
      sum += Math.exp(value);
    }
    return Math.log(sum);
  }

  private void list(RowDraws draws, int i) {
    Integer[] ranked = ranked();
    draws.listedCount[i] = Math.min(draws.listed[i], row.length);
    for (int k = 0; k < draws.listedCount[i]; k++) {
      draws.listedToken[i * RowDraws.LISTED_MAX + k] = ranked[k];
      draws.listedLogprob[i * RowDraws.LISTED_MAX + k] = (float) (row[ranked[k]] - logSum(row));
    }
  }
}
