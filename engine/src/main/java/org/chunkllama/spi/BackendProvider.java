package org.chunkllama.spi;

import java.util.Optional;

/** Finds and opens one kind of backend. Registered as a service. */
public interface BackendProvider {
  /** Short name for options and logs: {@code cpu}, {@code reference}. */
  String name();

  /** Higher is tried first. */
  int preference();

  /** Why this machine cannot run it, in one clause; empty if it can. Never throws. */
  Optional<String> unusableBecause();

  /** Opens it. Call only if usable. */
  Backend open(BackendOptions options);
}
