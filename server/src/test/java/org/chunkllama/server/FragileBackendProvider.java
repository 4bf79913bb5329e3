package org.chunkllama.server;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Optional;
import org.chunkllama.error.DeviceException;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendProvider;
import org.chunkllama.spi.Backends;

/** The reference backend on a device that fails when a test says so. Never chosen by itself. */
public final class FragileBackendProvider implements BackendProvider {
  static final String NAME = "fragile";

  /** What the device does. */
  enum State {
    SOUND,
    FAILING,
    LOST
  }

  static volatile State state = State.SOUND;

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
    return Optional.empty();
  }

  @Override
  public Backend open(BackendOptions options) {
    Backend reference = Backends.open("reference", options);
    return (Backend)
        Proxy.newProxyInstance(
            Backend.class.getClassLoader(),
            new Class<?>[] {Backend.class},
            (_, method, arguments) -> {
              if (method.getName().equals("lost")) {
                return state == State.LOST ? Optional.of("it fell off the bus") : Optional.empty();
              }
              if (method.getName().equals("step") && state != State.SOUND) {
                throw new DeviceException("the launch failed");
              }
              try {
                return method.invoke(reference, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}
