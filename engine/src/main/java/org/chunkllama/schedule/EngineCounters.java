package org.chunkllama.schedule;

/** What the engine did so far. Plain fields, written by the engine thread alone. */
final class EngineCounters {
  long requests;
  long promptTokensComputed;
  long promptTokensReused;
  long recomputedTokens;
  long generatedTokens;
  long steps;
  long preemptions;
  long deadlines;
  long planNanos;
  long modelNanos;
  long outputNanos;
  long gapNanos;
  long prefillNanos;
  long decodeNanos;
  long ttftNanosSum;
  long ttftCount;
}
