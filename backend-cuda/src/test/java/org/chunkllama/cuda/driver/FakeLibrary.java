package org.chunkllama.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A library whose functions are answered in Java, under the signatures of a table. */
final class FakeLibrary {
  /** Answers a call. */
  interface Calls {
    /**
     * A call of the function {@code name}.
     *
     * @param arguments widened to long
     * @return its result, cut to what it returns
     */
    long call(String name, long[] arguments);
  }

  private FakeLibrary() {}

  /**
   * Functions of {@code table} that live as long as {@code arena}.
   *
   * @param quiet functions that do nothing, and of which Java hears nothing
   */
  static MappedLibrary of(
      Class<? extends Record> table, Calls calls, Set<String> quiet, Arena arena) {
    Map<String, MemorySegment> symbols = new HashMap<>();
    for (RecordComponent component : table.getRecordComponents()) {
      NativeSignature signature = component.getAnnotation(NativeSignature.class);
      String name = signature.name();
      symbols.put(name, quiet.contains(name) ? nothing() : function(signature, calls, arena));
    }
    SymbolLookup lookup = name -> Optional.ofNullable(symbols.get(name));
    return new MappedLibrary("fake " + table.getSimpleName(), lookup);
  }

  /** A function of C that takes no arguments, is given some, and returns 0. */
  private static MemorySegment nothing() {
    return Linker.nativeLinker().defaultLookup().findOrThrow("sched_yield");
  }

  private static MemorySegment function(NativeSignature signature, Calls calls, Arena arena) {
    MethodType type = MethodType.methodType(signature.returns(), signature.arguments());
    MemoryLayout[] arguments =
        Arrays.stream(signature.arguments()).map(FakeLibrary::layout).toArray(MemoryLayout[]::new);
    try {
      MethodHandle call =
          MethodHandles.lookup()
              .findVirtual(
                  Calls.class,
                  "call",
                  MethodType.methodType(long.class, String.class, long[].class))
              .bindTo(calls)
              .bindTo(signature.name())
              .asCollector(long[].class, arguments.length);
      return Linker.nativeLinker()
          .upcallStub(
              MethodHandles.explicitCastArguments(call, type),
              FunctionDescriptor.of(layout(signature.returns()), arguments),
              arena);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("no upcall for " + signature.name(), e);
    }
  }

  private static MemoryLayout layout(Class<?> type) {
    return type == long.class
        ? ValueLayout.JAVA_LONG
        : type == int.class ? ValueLayout.JAVA_INT : ValueLayout.JAVA_BYTE;
  }
}
