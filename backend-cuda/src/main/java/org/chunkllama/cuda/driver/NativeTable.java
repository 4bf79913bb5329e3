package org.chunkllama.cuda.driver;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;

/** Turns a record whose components carry {@link NativeSignature}s into method handles. */
final class NativeTable {
  private NativeTable() {}

  /**
   * Binds every component of {@code type} to its symbol.
   *
   * @throws CudaException if the library lacks one, naming it
   */
  static <R extends Record> R bind(Class<R> type, MappedLibrary library) {
    RecordComponent[] components = type.getRecordComponents();
    Object[] handles = new Object[components.length];
    Class<?>[] types = new Class<?>[components.length];
    for (int i = 0; i < components.length; i++) {
      handles[i] = handle(components[i].getAnnotation(NativeSignature.class), library);
      types[i] = components[i].getType();
    }
    try {
      return type.getDeclaredConstructor(types).newInstance(handles);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(type + " is no table of method handles", e);
    }
  }

  private static MethodHandle handle(NativeSignature signature, MappedLibrary library) {
    MemorySegment symbol =
        library
            .symbols()
            .find(signature.name())
            .orElseThrow(() ->
                new CudaException(
                    "%s has no %s; it is too old, install a newer one"
                        .formatted(library.path(), signature.name())));
    MemoryLayout[] arguments =
        Arrays.stream(signature.arguments()).map(NativeTable::layout).toArray(MemoryLayout[]::new);
    return Linker.nativeLinker()
        .downcallHandle(symbol, FunctionDescriptor.of(layout(signature.returns()), arguments));
  }

  private static MemoryLayout layout(Class<?> type) {
    if (type == int.class) {
      return ValueLayout.JAVA_INT;
    }
    if (type == long.class) {
      return ValueLayout.JAVA_LONG;
    }
    if (type == float.class) {
      return ValueLayout.JAVA_FLOAT;
    }
    if (type == byte.class) {
      return ValueLayout.JAVA_BYTE;
    }
    throw new AssertionError("no layout for " + type);
  }

  /** For the exceptions that an exact invocation declares and a native call never throws. */
  static AssertionError unexpected(Throwable e) {
    if (e instanceof RuntimeException runtime) {
      throw runtime;
    }
    if (e instanceof Error error) {
      throw error;
    }
    return new AssertionError("a native call threw", e);
  }
}
