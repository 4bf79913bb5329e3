package org.chunkllama.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.chunkllama.text.jinja.Token.Kind;
import org.jspecify.annotations.Nullable;

/** Parses expressions, from the loosest operator to the tightest. */
final class ExpressionParser {
  /** Brackets and operators inside one another; a bound for the stack. */
  private static final int DEPTH_MAX = 100;

  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

  private final TokenStream tokens;
  private final OperandParser operands;
  private int depth;

  /**
   * A parser of {@code tokens}.
   *
   * @param onName told each name that an expression reads
   */
  ExpressionParser(TokenStream tokens, Consumer<String> onName) {
    this.tokens = tokens;
    this.operands = new OperandParser(tokens, this, onName);
  }

  /** An expression, or several with commas between: a tuple. */
  Expr tuple() {
    return tuple(this::expression, false);
  }

  /** What stands in parentheses: also nothing, the empty tuple. */
  Expr tupleInParentheses() {
    return tuple(this::expression, true);
  }

  /** The same where {@code if} does not belong to the expression. */
  Expr tupleWithoutConditional() {
    return tuple(this::or, false);
  }

  /** A filter's name and arguments, after the bar. */
  Expr.FilterCall filterCall() {
    return operands.filterCall();
  }

  Expr expression() {
    return nested(this::conditional);
  }

  Expr or() {
    return nested(this::plainOr);
  }

  private Expr nested(Supplier<Expr> parser) {
    if (++depth > DEPTH_MAX) {
      throw new JinjaError("this expression nests too deep", tokens.peek().line());
    }
    Expr expr = parser.get();
    depth--;
    return expr;
  }

  private Expr tuple(Supplier<Expr> item, boolean inParentheses) {
    int line = tokens.peek().line();
    var items = new ArrayList<Expr>();
    while (!endsTuple()) {
      items.add(item.get());
      if (!tokens.skipOperator(",")) {
        if (items.size() == 1) {
          return items.getFirst();
        }
        break;
      }
    }
    if (items.isEmpty() && !inParentheses) {
      throw tokens.unexpected("an expression");
    }
    return new Expr.TupleOf(items, line);
  }

  private boolean endsTuple() {
    Token next = tokens.peek();
    return next.kind() == Kind.PRINT_END || next.kind() == Kind.TAG_END || next.isOperator(")");
  }

  private Expr conditional() {
    Expr value = or();
    while (tokens.peek().isName("if")) {
      int line = tokens.next().line();
      Expr test = or();
      Expr otherwise = tokens.skipName("else") ? expression() : null;
      value = new Expr.Conditional(test, value, otherwise, line);
    }
    return value;
  }

  private Expr plainOr() {
    Expr left = and();
    while (tokens.peek().isName("or")) {
      int line = tokens.next().line();
      left = new Expr.Logic(false, left, and(), line);
    }
    return left;
  }

  private Expr and() {
    Expr left = not();
    while (tokens.peek().isName("and")) {
      int line = tokens.next().line();
      left = new Expr.Logic(true, left, not(), line);
    }
    return left;
  }

  private Expr not() {
    if (tokens.peek().isName("not")) {
      int line = tokens.next().line();
      return new Expr.Not(nested(this::not), line);
    }
    return comparison();
  }

  private Expr comparison() {
    int line = tokens.peek().line();
    Expr first = sum();
    var steps = new ArrayList<Expr.Step>();
    for (String operator = comparator(); operator != null; operator = comparator()) {
      steps.add(new Expr.Step(operator, sum()));
    }
    return steps.isEmpty() ? first : new Expr.Comparison(first, steps, line);
  }

  private @Nullable String comparator() {
    Token next = tokens.peek();
    if (next.kind() == Kind.OPERATOR && COMPARISONS.contains(next.text())) {
      return tokens.next().text();
    }
    if (tokens.skipName("in")) {
      return "in";
    }
    if (next.isName("not") && tokens.peekSecond().isName("in")) {
      tokens.next();
      tokens.next();
      return "not in";
    }
    return null;
  }

  private Expr sum() {
    Expr left = concat();
    while (tokens.peek().isOperator("+") || tokens.peek().isOperator("-")) {
      Token operator = tokens.next();
      left = new Expr.Arithmetic(operator.text(), left, concat(), operator.line());
    }
    return left;
  }

  private Expr concat() {
    int line = tokens.peek().line();
    Expr first = product();
    if (!tokens.peek().isOperator("~")) {
      return first;
    }
    var parts = new ArrayList<>(List.of(first));
    while (tokens.skipOperator("~")) {
      parts.add(product());
    }
    return new Expr.Concat(parts, line);
  }

  private Expr product() {
    Expr left = power();
    while (isProductOperator(tokens.peek())) {
      Token operator = tokens.next();
      left = new Expr.Arithmetic(operator.text(), left, power(), operator.line());
    }
    return left;
  }

  private static boolean isProductOperator(Token token) {
    return token.isOperator("*")
        || token.isOperator("/")
        || token.isOperator("//")
        || token.isOperator("%");
  }

  /** Groups to the left, as Jinja does and Python does not. */
  private Expr power() {
    Expr left = unary(true);
    while (tokens.peek().isOperator("**")) {
      int line = tokens.next().line();
      left = new Expr.Arithmetic("**", left, unary(true), line);
    }
    return left;
  }

  /** A sign binds tighter than filters: {@code -1|abs} is 1. */
  private Expr unary(boolean withFilters) {
    Token next = tokens.peek();
    Expr value;
    if (next.isOperator("-") || next.isOperator("+")) {
      tokens.next();
      value = new Expr.Sign(next.text().equals("-"), nested(() -> unary(false)), next.line());
    } else {
      value = operands.primary();
    }
    value = operands.postfix(value);
    return withFilters ? operands.filters(value) : value;
  }
}
