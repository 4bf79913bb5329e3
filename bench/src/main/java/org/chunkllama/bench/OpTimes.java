package org.chunkllama.bench;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** Time by operation. Thread-safe; read it between requests, when no operation runs. */
final class OpTimes {
  /** Kinds of work of a step. */
  enum Op {
    EMBED("embedding"),
    NORM("norms"),
    LINEAR_QKV("linear: Q, K, V"),
    LINEAR_OUTPUT("linear: attention output"),
    LINEAR_GATE_UP("linear: gate and up"),
    LINEAR_DOWN("linear: down"),
    LINEAR_LOGITS("linear: logits"),
    ROTARY("rotary"),
    APPEND("KV append"),
    ROTARY_APPEND("rotary and KV append"),
    ATTENTION("attention"),
    SILU_GATE("SiLU gate"),
    GATHER("gather"),
    KV_COPY("KV chunk copies"),
    READ_LOGITS("argmax, logits read");

    private final String label;

    Op(String label) {
      this.label = label;
    }

    /** For people. */
    String label() {
      return label;
    }
  }

  private final Map<Op, LongAdder> nanos = new EnumMap<>(Op.class);

  OpTimes() {
    for (Op op : Op.values()) {
      nanos.put(op, new LongAdder());
    }
  }

  void add(Op op, long begin) {
    long took = System.nanoTime() - begin;
    LongAdder sum = nanos.get(op);
    if (sum != null) {
      sum.add(took);
    }
  }

  void reset() {
    nanos.values().forEach(LongAdder::reset);
  }

  /** Seconds by operation. */
  Map<Op, Double> seconds() {
    Map<Op, Double> seconds = new EnumMap<>(Op.class);
    nanos.forEach((op, sum) -> seconds.put(op, sum.sum() / 1e9));
    return seconds;
  }
}
