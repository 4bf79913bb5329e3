package org.chunkllama.text.jinja;

/**
 * What a name or attribute that does not exist gives: prints as nothing, counts as false and empty,
 * and fails in any other operation.
 *
 * @param problem what failing says
 */
record Undefined(String problem) {
  static Undefined name(String name) {
    return new Undefined("'" + name + "' is undefined");
  }

  static Undefined attribute(Object owner, Object name) {
    return new Undefined("'" + Types.name(owner) + "' has no attribute '" + name + "'");
  }

  JinjaError error() {
    return new JinjaError(problem);
  }
}
