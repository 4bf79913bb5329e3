package org.chunkllama.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A macro, or the body of a call block, with the names around it. */
record Macro(
    String name, Node.Signature signature, List<Node> body, Scope around, Interpreter interpreter)
    implements Callable {

  @Override
  public Object call(Arguments arguments, Evaluator evaluator) {
    Scope scope = around.inner();
    List<String> parameters = signature.parameters();
    Map<String, Object> named = new LinkedHashMap<>(arguments.named());
    int given = arguments.positional().size();
    for (int i = 0; i < parameters.size(); i++) {
      String parameter = parameters.get(i);
      Object byName = i < given ? null : named.remove(parameter);
      if (i < given) {
        scope.set(parameter, arguments.positional().get(i));
      } else if (byName != null) {
        scope.set(parameter, byName);
      } else {
        scope.set(parameter, fallback(i, scope, evaluator));
      }
    }
    bindCaller(scope, named);
    bindRest(scope, arguments, named);
    return interpreter.capture(body, scope);
  }

  private Object fallback(int parameter, Scope scope, Evaluator evaluator) {
    int index = parameter - (signature.parameters().size() - signature.defaults().size());
    return index >= 0
        ? evaluator.evaluate(signature.defaults().get(index), scope)
        : new Undefined(
            "the parameter '" + signature.parameters().get(parameter) + "' was not given");
  }

  private void bindCaller(Scope scope, Map<String, Object> named) {
    if (signature.usesCaller() && !signature.parameters().contains("caller")) {
      Object caller = named.remove("caller");
      scope.set("caller", caller != null ? caller : new Undefined("the macro has no caller"));
    }
  }

  private void bindRest(Scope scope, Arguments arguments, Map<String, Object> named) {
    int parameters = signature.parameters().size();
    List<Object> positional = arguments.positional();
    if (signature.usesKwargs()) {
      scope.set("kwargs", new LinkedHashMap<Object, Object>(named));
    } else if (!named.isEmpty()) {
      throw new JinjaError(
          "the macro '"
              + name
              + "' takes no argument named '"
              + named.keySet().iterator().next()
              + "'");
    }
    if (signature.usesVarargs()) {
      int from = Math.min(parameters, positional.size());
      scope.set("varargs", new Tuple(new ArrayList<>(positional.subList(from, positional.size()))));
    } else if (positional.size() > parameters) {
      throw new JinjaError("the macro '" + name + "' takes at most " + parameters + " arguments");
    }
  }
}
