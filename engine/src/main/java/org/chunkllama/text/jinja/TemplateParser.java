package org.chunkllama.text.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.chunkllama.text.jinja.Token.Kind;

/** Parses statements. */
final class TemplateParser {
  /** Blocks inside one another; a bound for the stack. */
  private static final int DEPTH_MAX = 100;

  private final TokenStream tokens;
  private final ExpressionParser expressions;

  /** Names that each macro being parsed reads, inner ones on top. */
  private final Deque<Set<String>> namesRead = new ArrayDeque<>();

  private int depth;
  private int loops;

  private TemplateParser(TokenStream tokens) {
    this.tokens = tokens;
    this.expressions = new ExpressionParser(tokens, this::read);
  }

  /** Statements of {@code source}. */
  static List<Node> parse(String source) {
    var parser = new TemplateParser(new TokenStream(Lexer.tokens(source)));
    return parser.body(Set.of(), "");
  }

  private void read(String name) {
    for (Set<String> names : namesRead) {
      names.add(name);
    }
  }

  /**
   * Statements up to a tag named one of {@code ends}, which is left to be read: its name is next.
   *
   * @param opened the tag that needs the end, for the error
   */
  private List<Node> body(Set<String> ends, String opened) {
    if (++depth > DEPTH_MAX) {
      throw new JinjaError("the blocks of this template nest too deep", tokens.peek().line());
    }
    var nodes = new ArrayList<Node>();
    while (true) {
      Token token = tokens.next();
      switch (token.kind()) {
        case TEXT -> nodes.add(new Node.Text(token.text(), token.line()));
        case PRINT_BEGIN -> {
          nodes.add(new Node.Print(expressions.tuple(), token.line()));
          tokens.expect(Kind.PRINT_END, "'}}'");
        }
        case TAG_BEGIN -> {
          if (tokens.peek().kind() == Kind.NAME && ends.contains(tokens.peek().text())) {
            depth--;
            return nodes;
          }
          statement(nodes);
          tokens.expect(Kind.TAG_END, "'%}'");
        }
        default -> {
          if (!ends.isEmpty()) {
            throw new JinjaError(
                "the template ends inside {% " + opened + " %}: close it", token.line());
          }
          depth--;
          return nodes;
        }
      }
    }
  }

  /** The body of a block that ends with {@code end}, that tag's name included. */
  private List<Node> block(String opened, String end) {
    tokens.skipOperator(":");
    tokens.expect(Kind.TAG_END, "'%}'");
    List<Node> body = body(Set.of(end), opened);
    tokens.expectName(end);
    return body;
  }

  private void statement(List<Node> out) {
    Token tag = tokens.expect(Kind.NAME, "the name of a tag");
    int line = tag.line();
    switch (tag.text()) {
      case "set" -> out.add(set(line));
      case "if" -> out.add(ifs(line));
      case "for" -> out.add(loop(line));
      case "macro" -> out.add(macro(line));
      case "call" -> out.add(callBlock(line));
      case "with" -> out.add(with(line));
      case "filter" -> {
        var filters = new ArrayList<>(List.of(expressions.filterCall()));
        filters.addAll(filters());
        out.add(new Node.FilterBlock(filters, block("filter", "endfilter"), line));
      }
      case "generation" -> out.add(new Node.Scoped(block("generation", "endgeneration"), line));
      case "print" -> {
        do {
          out.add(new Node.Print(expressions.expression(), line));
        } while (tokens.skipOperator(","));
      }
      case "break", "continue" -> {
        if (loops == 0) {
          throw new JinjaError("{% " + tag.text() + " %} stands outside a loop", line);
        }
        out.add(tag.text().equals("break") ? new Node.Break(line) : new Node.Continue(line));
      }
      default -> throw new JinjaError("{% " + tag.text() + " %} is not supported here", line);
    }
  }

  private Node set(int line) {
    Expr target = target();
    if (tokens.skipOperator("=")) {
      return new Node.SetValue(target, expressions.tuple(), line);
    }
    List<Expr.FilterCall> filters = filters();
    return new Node.SetText(target, filters, block("set", "endset"), line);
  }

  private List<Expr.FilterCall> filters() {
    var filters = new ArrayList<Expr.FilterCall>();
    while (tokens.skipOperator("|")) {
      filters.add(expressions.filterCall());
    }
    return filters;
  }

  private Node ifs(int line) {
    var branches = new ArrayList<Node.Branch>();
    List<Node> otherwise = List.of();
    String tag = "if";
    while (tag.equals("if") || tag.equals("elif")) {
      Expr test = expressions.tupleWithoutConditional();
      tokens.skipOperator(":");
      tokens.expect(Kind.TAG_END, "'%}'");
      branches.add(new Node.Branch(test, body(Set.of("elif", "else", "endif"), "if")));
      tag = tokens.next().text();
    }
    if (tag.equals("else")) {
      otherwise = block("if", "endif");
    }
    return new Node.If(branches, otherwise, line);
  }

  private Node loop(int line) {
    Expr target = target();
    tokens.expectName("in");
    Expr items = expressions.tupleWithoutConditional();
    Expr test = tokens.skipName("if") ? expressions.expression() : null;
    if (tokens.peek().isName("recursive")) {
      throw new JinjaError("recursive loops are not supported: use a macro", line);
    }
    tokens.skipOperator(":");
    tokens.expect(Kind.TAG_END, "'%}'");
    loops++;
    List<Node> body = body(Set.of("endfor", "else"), "for");
    loops--;
    List<Node> otherwise = tokens.next().text().equals("else") ? block("for", "endfor") : List.of();
    return new Node.For(target, items, test, body, otherwise, line);
  }

  private Node macro(int line) {
    String name = tokens.expect(Kind.NAME, "the macro's name").text();
    namesRead.push(new HashSet<>());
    Parameters parameters = parameters();
    List<Node> body = outsideLoops("macro", "endmacro");
    return new Node.Macro(name, parameters.signature(namesRead.pop()), body, line);
  }

  private Node callBlock(int line) {
    namesRead.push(new HashSet<>());
    Parameters parameters =
        tokens.peek().isOperator("(") ? parameters() : new Parameters(List.of(), List.of());
    Expr call = expressions.expression();
    if (!(call instanceof Expr.Call macro)) {
      throw new JinjaError("{% call %} needs the call of a macro", line);
    }
    List<Node> body = outsideLoops("call", "endcall");
    return new Node.CallBlock(parameters.signature(namesRead.pop()), macro, body, line);
  }

  /** A macro's body may not break the loop that the macro stands in. */
  private List<Node> outsideLoops(String opened, String end) {
    int around = loops;
    loops = 0;
    List<Node> body = block(opened, end);
    loops = around;
    return body;
  }

  private record Parameters(List<String> names, List<Expr> defaults) {
    Node.Signature signature(Set<String> read) {
      return new Node.Signature(
          names,
          defaults,
          read.contains("kwargs"),
          read.contains("varargs"),
          read.contains("caller"));
    }
  }

  private Parameters parameters() {
    tokens.expectOperator("(");
    var names = new ArrayList<String>();
    var defaults = new ArrayList<Expr>();
    while (!tokens.peek().isOperator(")")) {
      if (!names.isEmpty()) {
        tokens.expectOperator(",");
      }
      Token name = tokens.expect(Kind.NAME, "the name of a parameter");
      names.add(name.text());
      if (tokens.skipOperator("=")) {
        defaults.add(expressions.expression());
      } else if (!defaults.isEmpty()) {
        throw new JinjaError(
            "the parameter " + name.text() + " needs a default, as one before it has one",
            name.line());
      }
    }
    tokens.expectOperator(")");
    return new Parameters(names, defaults);
  }

  private Node with(int line) {
    var targets = new ArrayList<Expr>();
    var values = new ArrayList<Expr>();
    while (tokens.peek().kind() != Kind.TAG_END) {
      if (!targets.isEmpty()) {
        tokens.expectOperator(",");
      }
      targets.add(target());
      tokens.expectOperator("=");
      values.add(expressions.expression());
    }
    return new Node.With(targets, values, block("with", "endwith"), line);
  }

  /** What can be assigned to: a name, {@code ns.name}, or several of them. */
  private Expr target() {
    int line = tokens.peek().line();
    var items = new ArrayList<Expr>();
    boolean tuple = false;
    do {
      if (endsTargets()) {
        break;
      }
      items.add(singleTarget());
      tuple |= tokens.peek().isOperator(",");
    } while (tokens.skipOperator(","));
    if (items.isEmpty()) {
      throw tokens.unexpected("a name to assign to");
    }
    return tuple ? new Expr.TupleOf(items, line) : items.getFirst();
  }

  private boolean endsTargets() {
    return tokens.peek().isName("in")
        || tokens.peek().isOperator("=")
        || tokens.peek().isOperator(")");
  }

  private Expr singleTarget() {
    if (tokens.skipOperator("(")) {
      if (++depth > DEPTH_MAX) {
        throw new JinjaError("this assignment nests too deep", tokens.peek().line());
      }
      Expr inner = target();
      depth--;
      tokens.expectOperator(")");
      return inner;
    }
    Token name = tokens.expect(Kind.NAME, "a name to assign to");
    switch (name.text()) {
      case "true", "false", "none", "True", "False", "None" ->
          throw new JinjaError("cannot assign to " + name.text(), name.line());
      default -> {}
    }
    if (tokens.skipOperator(".")) {
      String attribute = tokens.expect(Kind.NAME, "a name after '.'").text();
      return new Expr.NamespaceTarget(name.text(), attribute, name.line());
    }
    return new Expr.Name(name.text(), name.line());
  }
}
