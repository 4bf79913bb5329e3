package org.chunkllama.schedule;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.chunkllama.spi.Backend;
import org.jspecify.annotations.Nullable;

/** A backend in front of another one. */
final class FrontBackend {
  /** Sees every call: answers it, throws, or lets it pass. */
  interface Calls {
    @Nullable Object call(String method, Object[] arguments, Pass pass) throws Throwable;
  }

  /** The call as the backend behind answers it. */
  interface Pass {
    @Nullable Object on() throws Throwable;
  }

  private FrontBackend() {}

  /** {@code behind}, as far as {@code calls} pass. */
  static Backend of(Backend behind, Calls calls) {
    return (Backend)
        Proxy.newProxyInstance(
            Backend.class.getClassLoader(),
            new Class<?>[] {Backend.class},
            (_, method, arguments) ->
                calls.call(
                    method.getName(),
                    arguments,
                    () -> {
                      try {
                        return method.invoke(behind, arguments);
                      } catch (InvocationTargetException e) {
                        throw e.getCause();
                      }
                    }));
  }
}
