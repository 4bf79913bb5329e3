package org.chunkllama.bench.faults;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Optional;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendProvider;
import org.chunkllama.spi.Backends;
import org.jspecify.annotations.Nullable;

/**
 * A backend whose attention throws once in many calls; only for {@code bench faults}, and never
 * chosen by itself.
 */
public final class FaultyBackendProvider implements BackendProvider {
  static final String NAME = "faulty";

  /** Set in the environment of servers that are there to fail. */
  static final String ENVIRONMENT = "CHUNKLLAMA_BENCH_FAULTS";

  /** A prime: the layer and the step at which it fails vary. */
  private static final int CALLS = 397;

  /** For {@link java.util.ServiceLoader}. */
  public FaultyBackendProvider() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public int preference() {
    return Integer.MIN_VALUE;
  }

  @Override
  public Optional<String> unusableBecause() {
    return System.getenv(ENVIRONMENT) == null
        ? Optional.of("it serves 'bench faults' only")
        : Optional.empty();
  }

  @Override
  public Backend open(BackendOptions options) {
    Backend backend = Backends.open("cpu", options);
    return (Backend)
        Proxy.newProxyInstance(
            Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, new Faulty(backend));
  }

  private static final class Faulty implements InvocationHandler {
    private final Backend backend;
    private int calls;

    Faulty(Backend backend) {
      this.backend = backend;
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments)
        throws Throwable {
      if (method.getName().equals("attention") && ++calls % CALLS == 0) {
        throw new IllegalStateException("injected: attention failed");
      }
      try {
        return method.invoke(backend, arguments);
      } catch (InvocationTargetException e) {
        throw e.getCause() == null ? e : e.getCause();
      }
    }
  }
}
