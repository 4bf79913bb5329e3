package org.chunkllama.cuda.driver;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** NVIDIA's run-time compiler: CUDA C++ to a cubin. Needs no GPU. Thread-safe. */
public final class Nvrtc {
  private static @Nullable Nvrtc instance;

  private final NvrtcTable calls;
  private final String path;
  private final String version;

  Nvrtc(MappedLibrary library) {
    path = library.path();
    mapBuiltins(path);
    calls = NativeTable.bind(NvrtcTable.class, library);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_INT, 2);
      check(
          (int) calls.version().invokeExact(out.address(), out.address() + 4), "nvrtcVersion", "");
      version =
          out.getAtIndex(ValueLayout.JAVA_INT, 0) + "." + out.getAtIndex(ValueLayout.JAVA_INT, 1);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  /**
   * The compiler.
   *
   * @throws CudaException if it is not there
   */
  public static synchronized Nvrtc get() {
    if (instance == null) {
      String[] sonames = LibraryFinder.sonames("libnvrtc.so", CudaDriver.versionOrNewest());
      instance = new Nvrtc(LibraryFinder.map(LibraryFinder.NAME_FOLDER, sonames));
    }
    return instance;
  }

  // NVRTC opens its built-in functions by name when it compiles; found only if mapped before.
  private static void mapBuiltins(String nvrtc) {
    @Nullable Path builtins = LibraryFinder.sibling(nvrtc, "libnvrtc-builtins.so");
    if (builtins != null) {
      SymbolLookup.libraryLookup(builtins, Arena.global());
    }
  }

  /** {@code 13.0}. */
  public String version() {
    return version;
  }

  /**
   * What tells one build of it from another: updates within a version mend the code it makes, and
   * say the same version.
   */
  public String build() {
    Path file = Path.of(path);
    try {
      return "%s %d %s".formatted(version, Files.size(file), Files.getLastModifiedTime(file));
    } catch (IOException _) {
      return version; // mapped by a name that is no file here
    }
  }

  /**
   * Compiles one source.
   *
   * @param name of the source, for messages
   * @param source CUDA C++
   * @param headers sources by the name under which they are included
   * @param options of the compiler, the architecture among them
   * @return the cubin
   * @throws CudaException with the compiler's log if the source is refused
   */
  public byte[] compile(
      String name, String source, Map<String, String> headers, List<String> options) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment program = arena.allocate(ValueLayout.JAVA_LONG);
      String[] names = headers.keySet().toArray(String[]::new);
      MemorySegment texts = strings(arena, headers.values().stream().toList());
      check(
          (int)
              calls
                  .createProgram()
                  .invokeExact(
                      program.address(),
                      arena.allocateFrom(source).address(),
                      arena.allocateFrom(name).address(),
                      names.length,
                      texts.address(),
                      strings(arena, List.of(names)).address()),
          "nvrtcCreateProgram",
          name);
      try {
        return compile(arena, program.get(ValueLayout.JAVA_LONG, 0), name, options);
      } finally {
        check(
            (int) calls.destroyProgram().invokeExact(program.address()),
            "nvrtcDestroyProgram",
            name);
      }
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  private byte[] compile(Arena arena, long program, String name, List<String> options)
      throws Throwable {
    int status =
        (int)
            calls
                .compileProgram()
                .invokeExact(program, options.size(), strings(arena, options).address());
    if (status != 0) {
      throw new CudaException(
          "kernel %s does not compile with NVRTC %s %s: %s%n%s"
              .formatted(name, version, options, error(status), log(arena, program, name)));
    }
    MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
    check((int) calls.cubinSize().invokeExact(program, size.address()), "nvrtcGetCUBINSize", name);
    MemorySegment cubin = arena.allocate(size.get(ValueLayout.JAVA_LONG, 0));
    check((int) calls.cubin().invokeExact(program, cubin.address()), "nvrtcGetCUBIN", name);
    return cubin.toArray(ValueLayout.JAVA_BYTE);
  }

  private String log(Arena arena, long program, String name) throws Throwable {
    MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
    check(
        (int) calls.logSize().invokeExact(program, size.address()), "nvrtcGetProgramLogSize", name);
    MemorySegment text = arena.allocate(Math.max(1, size.get(ValueLayout.JAVA_LONG, 0)));
    check((int) calls.log().invokeExact(program, text.address()), "nvrtcGetProgramLog", name);
    return text.getString(0, StandardCharsets.UTF_8).strip();
  }

  private static MemorySegment strings(Arena arena, List<String> values) {
    MemorySegment array = arena.allocate(ValueLayout.JAVA_LONG, Math.max(1, values.size()));
    for (int i = 0; i < values.size(); i++) {
      array.setAtIndex(ValueLayout.JAVA_LONG, i, arena.allocateFrom(values.get(i)).address());
    }
    return array;
  }

  private void check(int status, String call, String what) {
    if (status != 0) {
      throw new CudaException("%s(%s) failed: %s".formatted(call, what, error(status)));
    }
  }

  private String error(int status) {
    try {
      return CudaDriver.string((long) calls.errorString().invokeExact(status));
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }
}
