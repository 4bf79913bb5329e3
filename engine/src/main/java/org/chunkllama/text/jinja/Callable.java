package org.chunkllama.text.jinja;

/** What {@code name(...)} calls: a function, a method of a value, or a macro. */
@FunctionalInterface
interface Callable {
  Object call(Arguments arguments, Evaluator evaluator);
}
