package org.chunkllama.bench.faults;

import java.util.List;

/**
 * Something that happens to a server.
 *
 * @param name for people
 * @param options of a server of its own; empty = it befalls the one that most share
 * @param jvm options of that server's Java virtual machine
 * @param course what happens; answers what was seen, in a few words
 */
record Fault(String name, List<String> options, List<String> jvm, Course course) {
  /** Happens to a server, and throws if that does not keep its promises. */
  interface Course {
    String befall(ServerProcess server) throws Exception;
  }

  static Fault shared(String name, Course course) {
    return new Fault(name, List.of(), List.of(), course);
  }

  /** On a server of its own. */
  static Fault own(String name, List<String> options, Course course) {
    return new Fault(name, options, List.of(), course);
  }

  boolean isShared() {
    return options.isEmpty() && jvm.isEmpty();
  }
}
