package org.chunkllama.text.jinja;

import org.chunkllama.error.TemplateException;

/** A template went wrong; knows its line as soon as a node that has one sees it. */
final class JinjaError extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String problem;
  private final boolean refusal;
  private int line;

  private JinjaError(String problem, boolean refusal, int line) {
    super(problem, null, false, false);
    this.problem = problem;
    this.refusal = refusal;
    this.line = line;
  }

  /** Found where no line is known. */
  JinjaError(String problem) {
    this(problem, false, 0);
  }

  JinjaError(String problem, int line) {
    this(problem, false, line);
  }

  /** The template itself refused its input, by raise_exception. */
  static JinjaError refusal(String problem) {
    return new JinjaError(problem, true, 0);
  }

  /** This error, at {@code line} unless an inner line is known. */
  JinjaError at(int line) {
    if (this.line == 0) {
      this.line = line;
    }
    return this;
  }

  TemplateException toTemplateException() {
    String where = line == 0 ? "" : ", line " + line;
    return new TemplateException(
        refusal
            ? "the chat template" + where + " refuses these messages: " + problem
            : "chat template" + where + ": " + problem);
  }
}
