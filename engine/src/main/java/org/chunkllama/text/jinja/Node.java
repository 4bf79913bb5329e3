package org.chunkllama.text.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Statements. */
sealed interface Node {
  /** Line in the source, from 1. */
  int line();

  record Text(String text, int line) implements Node {}

  /** {@code {{ value }}}. */
  record Print(Expr value, int line) implements Node {}

  /** {@code test}: null keeps all. {@code otherwise}: where there is nothing to loop over. */
  record For(
      Expr target, Expr items, @Nullable Expr test, List<Node> body, List<Node> otherwise, int line)
      implements Node {}

  record If(List<Branch> branches, List<Node> otherwise, int line) implements Node {}

  record Branch(Expr test, List<Node> body) {}

  record SetValue(Expr target, Expr value, int line) implements Node {}

  /** {@code {% set x | filter %}text{% endset %}}. */
  record SetText(Expr target, List<Expr.FilterCall> filters, List<Node> body, int line)
      implements Node {}

  record Macro(String name, Signature signature, List<Node> body, int line) implements Node {}

  /**
   * Parameters of a macro; the last {@code defaults.size()} have defaults.
   *
   * @param usesKwargs the body reads {@code kwargs}, so that any named argument is taken
   * @param usesVarargs the same of {@code varargs} and further positional ones
   * @param usesCaller the body reads {@code caller}
   */
  record Signature(
      List<String> parameters,
      List<Expr> defaults,
      boolean usesKwargs,
      boolean usesVarargs,
      boolean usesCaller) {}

  /** {@code {% call(x) macro(args) %}body{% endcall %}}. */
  record CallBlock(Signature signature, Expr.Call call, List<Node> body, int line)
      implements Node {}

  record FilterBlock(List<Expr.FilterCall> filters, List<Node> body, int line) implements Node {}

  record With(List<Expr> targets, List<Expr> values, List<Node> body, int line) implements Node {}

  /** A body with names of its own: {@code {% generation %}}. */
  record Scoped(List<Node> body, int line) implements Node {}

  record Break(int line) implements Node {}

  record Continue(int line) implements Node {}
}
