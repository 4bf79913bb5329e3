package org.chunkllama.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
  private static final Set<String> NO_ARGUMENT = Set.of("else", "or", "and");

  private final TokenStream tokens;
  private final Consumer<String> onName;
  private int depth;

  /**
   * A parser of {@code tokens}.
   *
   * @param onName told each name that an expression reads
   */
  ExpressionParser(TokenStream tokens, Consumer<String> onName) {
    this.tokens = tokens;
    this.onName = onName;
  }

  /** An expression, or several with commas between: a tuple. */
  Expr tuple() {
    return tuple(this::expression, false);
  }

  /** The same where {@code if} does not belong to the expression. */
  Expr tupleWithoutConditional() {
    return tuple(this::or, false);
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
      value = primary();
    }
    value = postfix(value);
    return withFilters ? filters(value) : value;
  }

  /** A name, a literal, or something in brackets. */
  Expr primary() {
    Token token = tokens.next();
    int line = token.line();
    return switch (token.kind()) {
      case NAME -> name(token);
      case STRING -> {
        var text = new StringBuilder(token.text());
        while (tokens.peek().kind() == Kind.STRING) {
          text.append(tokens.next().text());
        }
        yield new Expr.Literal(text.toString(), line);
      }
      case INTEGER -> new Expr.Literal(Literals.integer(token.text(), line), line);
      case FLOAT -> new Expr.Literal(Double.parseDouble(token.text().replace("_", "")), line);
      case OPERATOR -> bracketed(token);
      default -> throw new JinjaError("unexpected " + token.described(), line);
    };
  }

  private Expr name(Token token) {
    return switch (token.text()) {
      case "true", "True" -> new Expr.Literal(true, token.line());
      case "false", "False" -> new Expr.Literal(false, token.line());
      case "none", "None" -> new Expr.Literal(None.NONE, token.line());
      default -> {
        onName.accept(token.text());
        yield new Expr.Name(token.text(), token.line());
      }
    };
  }

  private Expr bracketed(Token open) {
    return switch (open.text()) {
      case "(" -> {
        Expr inside = tuple(this::expression, true);
        tokens.expectOperator(")");
        yield inside;
      }
      case "[" -> {
        var items = new ArrayList<Expr>();
        while (!tokens.peek().isOperator("]")) {
          items.add(expression());
          if (!tokens.skipOperator(",")) {
            break;
          }
        }
        tokens.expectOperator("]");
        yield new Expr.ListOf(items, open.line());
      }
      case "{" -> dict(open.line());
      default -> throw new JinjaError("unexpected " + open.described(), open.line());
    };
  }

  private Expr dict(int line) {
    var pairs = new ArrayList<Expr.Pair>();
    while (!tokens.peek().isOperator("}")) {
      Expr key = expression();
      tokens.expectOperator(":");
      pairs.add(new Expr.Pair(key, expression()));
      if (!tokens.skipOperator(",")) {
        break;
      }
    }
    tokens.expectOperator("}");
    return new Expr.DictOf(pairs, line);
  }

  private Expr postfix(Expr value) {
    Expr expr = value;
    while (true) {
      Token next = tokens.peek();
      if (next.isOperator(".")) {
        expr = attribute(expr);
      } else if (next.isOperator("[")) {
        expr = subscript(expr);
      } else if (next.isOperator("(")) {
        expr = new Expr.Call(expr, arguments(), next.line());
      } else {
        return expr;
      }
    }
  }

  private Expr attribute(Expr owner) {
    int line = tokens.next().line();
    Token name = tokens.next();
    return switch (name.kind()) {
      case NAME -> new Expr.Attribute(owner, name.text(), line);
      case INTEGER ->
          new Expr.Item(owner, new Expr.Literal(Literals.integer(name.text(), line), line), line);
      default -> throw new JinjaError("expected a name after '.', found " + name.described(), line);
    };
  }

  private Expr subscript(Expr owner) {
    int line = tokens.next().line();
    Expr start = tokens.peek().isOperator(":") ? null : expression();
    Expr result;
    if (tokens.skipOperator(":")) {
      Expr stop = sliceEnds() ? null : expression();
      Expr step = tokens.skipOperator(":") && !sliceEnds() ? expression() : null;
      result = new Expr.Slice(owner, start, stop, step, line);
    } else if (start == null) {
      throw tokens.unexpected("an index");
    } else if (tokens.peek().isOperator(",")) {
      var items = new ArrayList<>(List.of(start));
      while (tokens.skipOperator(",")) {
        items.add(expression());
      }
      result = new Expr.Item(owner, new Expr.TupleOf(items, line), line);
    } else {
      result = new Expr.Item(owner, start, line);
    }
    tokens.expectOperator("]");
    return result;
  }

  private boolean sliceEnds() {
    return tokens.peek().isOperator(":") || tokens.peek().isOperator("]");
  }

  /** {@code (a, b, *list, key=value, **dict)}. */
  Expr.Args arguments() {
    int line = tokens.peek().line();
    tokens.expectOperator("(");
    var positional = new ArrayList<Expr>();
    Map<String, Expr> named = new LinkedHashMap<>();
    Expr list = null;
    Expr dict = null;
    while (!tokens.peek().isOperator(")")) {
      if (dict != null) {
        throw new JinjaError("no argument may follow **", line);
      }
      if (tokens.skipOperator("**")) {
        dict = expression();
      } else if (tokens.skipOperator("*")) {
        list = expression();
      } else if (tokens.peek().kind() == Kind.NAME && tokens.peekSecond().isOperator("=")) {
        String name = tokens.next().text();
        tokens.next();
        if (named.put(name, expression()) != null) {
          throw new JinjaError("the argument " + name + " is given twice", line);
        }
      } else if (!named.isEmpty() || list != null) {
        throw new JinjaError("a positional argument follows a named one", line);
      } else {
        positional.add(expression());
      }
      if (!tokens.skipOperator(",")) {
        break;
      }
    }
    tokens.expectOperator(")");
    return new Expr.Args(positional, named, list, dict);
  }

  /** {@code | filter}, {@code is test} and calls, as many as there are. */
  private Expr filters(Expr value) {
    Expr expr = value;
    while (true) {
      Token next = tokens.peek();
      if (next.isOperator("|")) {
        tokens.next();
        expr = new Expr.Filter(expr, filterCall(), next.line());
      } else if (next.isName("is")) {
        expr = test(expr);
      } else if (next.isOperator("(")) {
        expr = new Expr.Call(expr, arguments(), next.line());
      } else {
        return expr;
      }
    }
  }

  /** A filter's name and arguments, after the bar. */
  Expr.FilterCall filterCall() {
    Token name = tokens.expect(Kind.NAME, "the name of a filter");
    Expr.Args args = tokens.peek().isOperator("(") ? arguments() : Expr.Args.NONE;
    return new Expr.FilterCall(name.text(), args, name.line());
  }

  private Expr test(Expr input) {
    int line = tokens.next().line();
    boolean negated = tokens.skipName("not");
    String name = tokens.expect(Kind.NAME, "the name of a test").text();
    Expr.Args args = Expr.Args.NONE;
    if (tokens.peek().isOperator("(")) {
      args = arguments();
    } else if (beginsArgument(tokens.peek())) {
      if (tokens.peek().isName("is")) {
        throw new JinjaError("tests cannot be chained with 'is': use 'and'", line);
      }
      args = new Expr.Args(List.of(postfix(primary())), Map.of(), null, null);
    }
    Expr test = new Expr.Test(input, name, args, line);
    return negated ? new Expr.Not(test, line) : test;
  }

  private static boolean beginsArgument(Token token) {
    return switch (token.kind()) {
      case NAME -> !NO_ARGUMENT.contains(token.text());
      case STRING, INTEGER, FLOAT -> true;
      case OPERATOR -> token.text().equals("[") || token.text().equals("{");
      default -> false;
    };
  }
}
