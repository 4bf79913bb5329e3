package org.chunkllama.spi;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.function.Consumer;
import org.chunkllama.error.InvalidRequestException;

/** Chooses a backend among the registered {@linkplain BackendProvider providers}. */
public final class Backends {
  /** Name that leaves the choice to {@link #open}. */
  public static final String AUTO = "auto";

  private static final System.Logger LOG = System.getLogger(Backends.class.getName());

  private Backends() {}

  /** Names of all registered providers, best first. */
  public static List<String> names() {
    return registered().stream().map(BackendProvider::name).toList();
  }

  /**
   * Opens a backend and logs in one line which, and why not the others.
   *
   * @param name a provider's name, or {@link #AUTO} for the usable one of highest preference
   * @throws InvalidRequestException if there is no such provider, or this machine cannot run it
   */
  public static Backend open(String name, BackendOptions options) {
    return open(name, options, registered(), line -> LOG.log(System.Logger.Level.INFO, line));
  }

  private static List<BackendProvider> registered() {
    List<BackendProvider> providers = new ArrayList<>();
    ServiceLoader.load(BackendProvider.class, Backends.class.getClassLoader())
        .forEach(providers::add);
    providers.sort(
        Comparator.comparingInt(BackendProvider::preference)
            .reversed()
            .thenComparing(BackendProvider::name));
    return providers;
  }

  /** {@code providers}: best first. */
  static Backend open(
      String name, BackendOptions options, List<BackendProvider> providers, Consumer<String> log) {
    List<String> passedOver = new ArrayList<>();
    for (BackendProvider provider : providers) {
      if (!name.equals(AUTO) && !name.equals(provider.name())) {
        continue;
      }
      Optional<String> obstacle = provider.unusableBecause();
      if (obstacle.isEmpty()) {
        Backend backend = provider.open(options);
        log.accept(chosen(backend, name, provider, passedOver, providers));
        return backend;
      }
      passedOver.add(provider.name() + ": " + obstacle.get());
    }
    throw new InvalidRequestException(refusal(name, passedOver, providers));
  }

  private static String chosen(
      Backend backend,
      String name,
      BackendProvider provider,
      List<String> passedOver,
      List<BackendProvider> providers) {
    StringBuilder line = new StringBuilder("backend ").append(backend.description());
    if (!name.equals(AUTO)) {
      return line.append(" (asked for by name)").toString();
    }
    List<String> others = new ArrayList<>(passedOver);
    for (BackendProvider other :
        providers.subList(providers.indexOf(provider) + 1, providers.size())) {
      others.add(other.name() + ": lower preference");
    }
    return others.isEmpty()
        ? line.append(" (the only one)").toString()
        : line.append(" (not ").append(String.join("; not ", others)).append(')').toString();
  }

  private static String refusal(
      String name, List<String> passedOver, List<BackendProvider> providers) {
    if (!passedOver.isEmpty()) {
      return "no usable backend: " + String.join("; ", passedOver);
    }
    List<String> names = providers.stream().map(BackendProvider::name).toList();
    return "unknown backend '%s': choose %s or one of %s".formatted(name, AUTO, names);
  }
}
