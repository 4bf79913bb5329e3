package org.chunkllama.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Executes statements during one rendering. */
final class Interpreter {
  /** How a list of statements ended. */
  private enum Flow {
    ON,
    BREAK,
    CONTINUE
  }

  private final Budget budget;
  private final Evaluator evaluator;
  private StringBuilder out = new StringBuilder();

  Interpreter(Budget budget) {
    this.budget = budget;
    this.evaluator = new Evaluator(budget);
  }

  /** What {@code nodes} print. */
  String capture(List<Node> nodes, Scope scope) {
    StringBuilder before = out;
    out = new StringBuilder();
    execute(nodes, scope);
    String text = out.toString();
    out = before;
    return text;
  }

  private Flow execute(List<Node> nodes, Scope scope) {
    for (Node node : nodes) {
      Flow flow;
      try {
        budget.enter();
        flow = execute(node, scope);
        budget.leave();
      } catch (JinjaError e) {
        throw e.at(node.line());
      }
      if (flow != Flow.ON) {
        return flow;
      }
    }
    return Flow.ON;
  }

  private Flow execute(Node node, Scope scope) {
    switch (node) {
      case Node.Text text -> print(text.text());
      case Node.Print print -> print(Printer.str(evaluator.evaluate(print.value(), scope), budget));
      case Node.SetValue set -> assign(set.target(), evaluator.evaluate(set.value(), scope), scope);
      case Node.SetText set ->
          assign(set.target(), filtered(set.body(), set.filters(), scope), scope);
      case Node.FilterBlock block ->
          print(Printer.str(filtered(block.body(), block.filters(), scope), budget));
      case Node.Macro macro -> scope.set(macro.name(), macro(macro.name(), macro, scope));
      case Node.CallBlock block -> callBlock(block, scope);
      case Node.With with -> with(with, scope);
      case Node.Scoped block -> print(capture(block.body(), scope.inner()));
      case Node.If branches -> {
        return ifs(branches, scope);
      }
      case Node.For loop -> loop(loop, scope);
      case Node.Break _ -> {
        return Flow.BREAK;
      }
      case Node.Continue _ -> {
        return Flow.CONTINUE;
      }
    }
    return Flow.ON;
  }

  private void print(String text) {
    budget.spend(text.length());
    out.append(text);
  }

  private Object filtered(List<Node> body, List<Expr.FilterCall> filters, Scope scope) {
    Object value = capture(body, scope.inner());
    for (Expr.FilterCall filter : filters) {
      value = evaluator.filter(value, filter, scope);
    }
    return value;
  }

  private Macro macro(String name, Node.Macro macro, Scope scope) {
    return new Macro(name, macro.signature(), macro.body(), scope, this);
  }

  private void callBlock(Node.CallBlock block, Scope scope) {
    Expr.Call call = block.call();
    Arguments given = evaluator.arguments(call.args(), scope);
    Map<String, Object> named = new LinkedHashMap<>(given.named());
    named.put("caller", new Macro("caller", block.signature(), block.body(), scope, this));
    Object callee = evaluator.evaluate(call.callee(), scope);
    Object text = evaluator.call(callee, new Arguments(given.positional(), named));
    print(Printer.str(text, budget));
  }

  private void with(Node.With with, Scope scope) {
    Scope inner = scope.inner();
    for (int i = 0; i < with.targets().size(); i++) {
      assign(with.targets().get(i), evaluator.evaluate(with.values().get(i), scope), inner);
    }
    print(capture(with.body(), inner));
  }

  private Flow ifs(Node.If branches, Scope scope) {
    for (Node.Branch branch : branches.branches()) {
      if (Types.isTrue(evaluator.evaluate(branch.test(), scope))) {
        return execute(branch.body(), scope);
      }
    }
    return execute(branches.otherwise(), scope);
  }

  private void loop(Node.For loop, Scope scope) {
    List<Object> items = Types.items(evaluator.evaluate(loop.items(), scope), budget);
    if (loop.test() != null) {
      items = selected(items, loop, scope);
    }
    var state = new Loop(items);
    for (int i = 0; i < items.size(); i++) {
      budget.spend(1);
      state.moveTo(i);
      Scope inner = scope.inner(); // names set in the body last for one turn
      assign(loop.target(), items.get(i), inner);
      inner.set("loop", state);
      if (execute(loop.body(), inner) == Flow.BREAK) {
        break;
      }
    }
    if (items.isEmpty()) {
      execute(loop.otherwise(), scope.inner());
    }
  }

  private List<Object> selected(List<Object> items, Node.For loop, Scope scope) {
    var selected = new ArrayList<Object>();
    for (Object item : items) {
      Scope inner = scope.inner();
      assign(loop.target(), item, inner);
      if (loop.test() == null || Types.isTrue(evaluator.evaluate(loop.test(), inner))) {
        selected.add(item);
      }
    }
    return selected;
  }

  private void assign(Expr target, Object value, Scope scope) {
    switch (target) {
      case Expr.Name name -> scope.set(name.name(), value);
      case Expr.NamespaceTarget at -> {
        if (!(scope.get(at.namespace()) instanceof Namespace namespace)) {
          throw new JinjaError(
              "'" + at.namespace() + "' is not a namespace: only those have attributes to set");
        }
        namespace.values().put(at.name(), value);
      }
      case Expr.TupleOf tuple -> {
        List<Object> values = Types.items(value, budget);
        if (values.size() != tuple.items().size()) {
          throw new JinjaError(
              values.size() + " values cannot be assigned to " + tuple.items().size() + " names");
        }
        for (int i = 0; i < values.size(); i++) {
          assign(tuple.items().get(i), values.get(i), scope);
        }
      }
      default -> throw new JinjaError("this cannot be assigned to");
    }
  }
}
