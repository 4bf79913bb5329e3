package org.chunkllama.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Evaluates expressions during one rendering. */
final class Evaluator {
  private final Budget budget;

  Evaluator(Budget budget) {
    this.budget = budget;
  }

  Budget budget() {
    return budget;
  }

  Object evaluate(Expr expr, Scope scope) {
    try {
      budget.enter();
      Object value = value(expr, scope);
      budget.leave();
      return value;
    } catch (JinjaError e) {
      throw e.at(expr.line());
    }
  }

  private Object value(Expr expr, Scope scope) {
    return switch (expr) {
      case Expr.Literal literal -> literal.value();
      case Expr.Name name -> scope.get(name.name());
      case Expr.Attribute attribute ->
          Access.attribute(evaluate(attribute.owner(), scope), attribute.name());
      case Expr.Item item -> {
        Object owner = evaluate(item.owner(), scope);
        budget.spendOn(owner);
        yield Access.item(owner, evaluate(item.index(), scope));
      }
      case Expr.Slice slice -> slice(slice, scope);
      case Expr.Call call -> call(evaluate(call.callee(), scope), arguments(call.args(), scope));
      case Expr.Filter filter -> filter(evaluate(filter.input(), scope), filter.call(), scope);
      case Expr.Test test ->
          Tests.test(
              test.name(), evaluate(test.input(), scope), arguments(test.args(), scope), this);
      case Expr.Not not -> !Types.isTrue(evaluate(not.operand(), scope));
      case Expr.Logic logic -> logic(logic, scope);
      case Expr.Comparison comparison -> compare(comparison, scope);
      case Expr.Conditional conditional -> conditional(conditional, scope);
      case Expr.Concat concat -> StringMethods.joined("", all(concat.parts(), scope), budget);
      case Expr.Arithmetic arithmetic ->
          Arithmetic.apply(
              arithmetic.operator(),
              evaluate(arithmetic.left(), scope),
              evaluate(arithmetic.right(), scope),
              budget);
      case Expr.Sign sign -> {
        Object operand = evaluate(sign.operand(), scope);
        yield sign.negative() ? Arithmetic.negate(operand) : Arithmetic.plus(operand);
      }
      case Expr.ListOf list -> all(list.items(), scope);
      case Expr.TupleOf tuple -> new Tuple(all(tuple.items(), scope));
      case Expr.DictOf dict -> dict(dict, scope);
      case Expr.NamespaceTarget _ ->
          throw new JinjaError("a namespace's attribute can only be set by {% set %}");
    };
  }

  private List<Object> all(List<Expr> exprs, Scope scope) {
    var values = new ArrayList<Object>(exprs.size());
    for (Expr expr : exprs) {
      values.add(evaluate(expr, scope));
    }
    return values;
  }

  private Object dict(Expr.DictOf dict, Scope scope) {
    var map = new LinkedHashMap<Object, Object>();
    for (Expr.Pair pair : dict.pairs()) {
      Object key = Keys.of(map, evaluate(pair.key(), scope));
      map.put(key, evaluate(pair.value(), scope));
    }
    return map;
  }

  private Object logic(Expr.Logic logic, Scope scope) {
    Object left = evaluate(logic.left(), scope);
    return Types.isTrue(left) == logic.and() ? evaluate(logic.right(), scope) : left;
  }

  private Object conditional(Expr.Conditional conditional, Scope scope) {
    if (Types.isTrue(evaluate(conditional.test(), scope))) {
      return evaluate(conditional.then(), scope);
    }
    return conditional.otherwise() != null
        ? evaluate(conditional.otherwise(), scope)
        : new Undefined("the inline if has no else, and its test is false");
  }

  private Object compare(Expr.Comparison comparison, Scope scope) {
    Object left = evaluate(comparison.first(), scope);
    for (Expr.Step step : comparison.steps()) {
      Object right = evaluate(step.operand(), scope);
      if (!Comparison.test(step.operator(), left, right, budget)) {
        return false;
      }
      left = right;
    }
    return true;
  }

  private Object slice(Expr.Slice slice, Scope scope) {
    Object owner = evaluate(slice.owner(), scope);
    return Access.slice(
        owner,
        bound(slice.start(), scope),
        bound(slice.stop(), scope),
        bound(slice.step(), scope),
        budget);
  }

  private @Nullable Long bound(@Nullable Expr expr, Scope scope) {
    Object value = expr == null ? None.NONE : evaluate(expr, scope);
    return value == None.NONE ? null : (Long) Arithmetic.toLong(value);
  }

  Object call(Object callee, Arguments arguments) {
    return switch (callee) {
      case Callable callable -> callable.call(arguments, this);
      case Undefined undefined -> throw undefined.error();
      default -> throw new JinjaError("'" + Types.name(callee) + "' cannot be called");
    };
  }

  /** {@code input | name(args)}. */
  Object filter(Object input, Expr.FilterCall call, Scope scope) {
    try {
      return Filters.apply(call.name(), input, arguments(call.args(), scope), this);
    } catch (JinjaError e) {
      throw e.at(call.line());
    }
  }

  Arguments arguments(Expr.Args args, Scope scope) {
    List<Object> positional = all(args.positional(), scope);
    Map<String, Object> named = new LinkedHashMap<>();
    args.named().forEach((name, expr) -> named.put(name, evaluate(expr, scope)));
    if (args.list() != null) {
      positional.addAll(Types.items(evaluate(args.list(), scope), budget));
    }
    if (args.dict() != null) {
      spread(evaluate(args.dict(), scope), named);
    }
    return new Arguments(positional, named);
  }

  private static void spread(Object dict, Map<String, Object> named) {
    if (!(dict instanceof Map<?, ?> map)) {
      throw new JinjaError("** needs a dict, not '" + Types.name(dict) + "'");
    }
    map.forEach((key, value) -> {
      if (!(key instanceof String name)) {
        throw new JinjaError("** needs a dict with strings as keys");
      }
      named.put(name, value);
    });
  }
}
