package org.chunkllama.bench.faults;

/** Where an exception is thrown, and at every how many calls. */
enum FaultPoint {
  SAMPLER("sampler", 97, "sample", "org/chunkllama/sample/Sampler"),
  ENCODER("tokenizer, on the way in", 7, "encode", "org/chunkllama/text/VocabularyTokenizer"),
  DECODER("tokenizer, on the way out", 97, "append", "org/chunkllama/text/IncrementalDetokenizer"),
  TEMPLATE("template", 3, "render", "org/chunkllama/text/ChatTemplate"),
  /** A prime: the layer and the step at which it fails vary. */
  BACKEND("backend", 397, "attention", "org/chunkllama/spi/TypedBackend");

  private final String part;
  private final int calls;
  private final String method;
  private final String className;

  FaultPoint(String part, int calls, String method, String className) {
    this.part = part;
    this.calls = calls;
    this.method = method;
    this.className = className;
  }

  /** The part of the server, for people. */
  String part() {
    return part;
  }

  /** One in so many calls throws. */
  int calls() {
    return calls;
  }

  String method() {
    return method;
  }

  /** The class that has the method, named with slashes. */
  String className() {
    return className;
  }
}
