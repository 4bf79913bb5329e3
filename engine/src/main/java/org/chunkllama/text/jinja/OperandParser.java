package org.chunkllama.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.chunkllama.text.jinja.Token.Kind;

/** Parses what operators stand between: names, literals, brackets, and what follows them. */
final class OperandParser {
  private static final Set<String> NO_ARGUMENT = Set.of("else", "or", "and");

  private final TokenStream tokens;
  private final ExpressionParser operators;
  private final Consumer<String> onName;

  OperandParser(TokenStream tokens, ExpressionParser operators, Consumer<String> onName) {
    this.tokens = tokens;
    this.operators = operators;
    this.onName = onName;
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
        Expr inside = operators.tupleInParentheses();
        tokens.expectOperator(")");
        yield inside;
      }
      case "[" -> {
        var items = new ArrayList<Expr>();
        while (!tokens.peek().isOperator("]")) {
          items.add(operators.expression());
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
      Expr key = operators.expression();
      tokens.expectOperator(":");
      pairs.add(new Expr.Pair(key, operators.expression()));
      if (!tokens.skipOperator(",")) {
        break;
      }
    }
    tokens.expectOperator("}");
    return new Expr.DictOf(pairs, line);
  }

  /** {@code .name}, {@code [index]} and calls behind {@code value}, as many as there are. */
  Expr postfix(Expr value) {
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
    Expr start = tokens.peek().isOperator(":") ? null : operators.expression();
    Expr result;
    if (tokens.skipOperator(":")) {
      Expr stop = sliceEnds() ? null : operators.expression();
      Expr step = tokens.skipOperator(":") && !sliceEnds() ? operators.expression() : null;
      result = new Expr.Slice(owner, start, stop, step, line);
    } else if (start == null) {
      throw tokens.unexpected("an index");
    } else if (tokens.peek().isOperator(",")) {
      var items = new ArrayList<>(List.of(start));
      while (tokens.skipOperator(",")) {
        items.add(operators.expression());
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
        dict = operators.expression();
      } else if (tokens.skipOperator("*")) {
        list = operators.expression();
      } else if (tokens.peek().kind() == Kind.NAME && tokens.peekSecond().isOperator("=")) {
        String name = tokens.next().text();
        tokens.next();
        if (named.put(name, operators.expression()) != null) {
          throw new JinjaError("the argument " + name + " is given twice", line);
        }
      } else if (!named.isEmpty() || list != null) {
        throw new JinjaError("a positional argument follows a named one", line);
      } else {
        positional.add(operators.expression());
      }
      if (!tokens.skipOperator(",")) {
        break;
      }
    }
    tokens.expectOperator(")");
    return new Expr.Args(positional, named, list, dict);
  }

  /** {@code | filter}, {@code is test} and calls, as many as there are. */
  Expr filters(Expr value) {
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
