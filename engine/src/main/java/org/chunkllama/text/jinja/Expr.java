package org.chunkllama.text.jinja;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Expressions. */
sealed interface Expr {
  /** Line in the source, from 1. */
  int line();

  record Literal(Object value, int line) implements Expr {}

  record Name(String name, int line) implements Expr {}

  /** {@code ns.name} as the target of a set. */
  record NamespaceTarget(String namespace, String name, int line) implements Expr {}

  record TupleOf(List<Expr> items, int line) implements Expr {}

  record ListOf(List<Expr> items, int line) implements Expr {}

  record DictOf(List<Pair> pairs, int line) implements Expr {}

  record Pair(Expr key, Expr value) {}

  /** {@code -x}, {@code +x}. */
  record Sign(boolean negative, Expr operand, int line) implements Expr {}

  record Not(Expr operand, int line) implements Expr {}

  /** Arithmetic: {@code + - * / // % **}. */
  record Arithmetic(String operator, Expr left, Expr right, int line) implements Expr {}

  /** {@code and}, {@code or}: give one of the operands. */
  record Logic(boolean and, Expr left, Expr right, int line) implements Expr {}

  /** {@code a < b <= c}: each operand is evaluated once, up to the first false. */
  record Comparison(Expr first, List<Step> steps, int line) implements Expr {}

  /** {@code operator}: one of {@code == != < <= > >= in}, or {@code not in}. */
  record Step(String operator, Expr operand) {}

  /** {@code a ~ b ~ c}. */
  record Concat(List<Expr> parts, int line) implements Expr {}

  /** {@code then if test else otherwise}. */
  record Conditional(Expr test, Expr then, @Nullable Expr otherwise, int line) implements Expr {}

  /** {@code owner.name}. */
  record Attribute(Expr owner, String name, int line) implements Expr {}

  /** {@code owner[index]}. */
  record Item(Expr owner, Expr index, int line) implements Expr {}

  /** {@code owner[start:stop:step]}. */
  record Slice(Expr owner, @Nullable Expr start, @Nullable Expr stop, @Nullable Expr step, int line)
      implements Expr {}

  record Call(Expr callee, Args args, int line) implements Expr {}

  /** {@code input | name(args)}. */
  record Filter(Expr input, FilterCall call, int line) implements Expr {}

  record FilterCall(String name, Args args, int line) {}

  /** {@code input is name(args)}. */
  record Test(Expr input, String name, Args args, int line) implements Expr {}

  /** Arguments as written: {@code (a, b, *list, key=value, **dict)}. */
  record Args(
      List<Expr> positional, Map<String, Expr> named, @Nullable Expr list, @Nullable Expr dict) {
    static final Args NONE = new Args(List.of(), Map.of(), null, null);
  }
}
