/**
 * The subset of Jinja that chat templates use, with Python's semantics of values.
 *
 * <p>Source to tokens ({@code Lexer}) to a tree ({@code TemplateParser}, {@code ExpressionParser},
 * {@code Node}, {@code Expr}) to text ({@code Interpreter}, {@code Evaluator}). Nothing in a
 * template reaches Java: values are strings, numbers, lists, maps and the few kinds in this
 * package, and all of them but namespaces are unchangeable.
 */
@NullMarked
package org.chunkllama.text.jinja;

import org.jspecify.annotations.NullMarked;
