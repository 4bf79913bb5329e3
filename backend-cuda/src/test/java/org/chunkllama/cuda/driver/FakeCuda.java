package org.chunkllama.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The driver, NVRTC and cuBLASLt of a GPU that computes nothing: it hands things out, takes them
 * back, counts, and fails when told to. Kernels compile to nothing; what is read from it is
 * undefined.
 */
public final class FakeCuda {
  /** Status of a call that fails for want of memory. */
  public static final int OUT_OF_MEMORY = 2;

  /** Status of every call after a kernel trapped. */
  public static final int LAUNCH_FAILED = 719;

  private static final Map<String, String> MAKERS =
      Map.ofEntries(
          Map.entry("cuDevicePrimaryCtxRetain", "context"),
          Map.entry("cuMemAlloc_v2", "device memory"),
          Map.entry("cuStreamCreate", "stream"),
          Map.entry("cuStreamEndCapture", "graph"),
          Map.entry("cuGraphInstantiateWithFlags", "executable graph"),
          Map.entry("cuEventCreate", "event"),
          Map.entry("cuModuleLoadData", "module"),
          Map.entry("nvrtcCreateProgram", "program"),
          Map.entry("cublasLtCreate", "cuBLASLt"),
          Map.entry("cublasLtMatmulDescCreate", "product"),
          Map.entry("cublasLtMatrixLayoutCreate", "layout"),
          Map.entry("cublasLtMatmulPreferenceCreate", "preference"));

  private static final Map<String, String> TAKERS =
      Map.ofEntries(
          Map.entry("cuMemFree_v2", "device memory"),
          Map.entry("cuStreamDestroy_v2", "stream"),
          Map.entry("cuGraphDestroy", "graph"),
          Map.entry("cuGraphExecDestroy", "executable graph"),
          Map.entry("cuEventDestroy_v2", "event"),
          Map.entry("cuModuleUnload", "module"),
          Map.entry("cublasLtDestroy", "cuBLASLt"),
          Map.entry("cublasLtMatmulDescDestroy", "product"),
          Map.entry("cublasLtMatrixLayoutDestroy", "layout"),
          Map.entry("cublasLtMatmulPreferenceDestroy", "preference"));

  private final Arena arena = Arena.ofAuto();
  private final Map<Long, String> live = new HashMap<>(); // what a handle is
  private final Map<Long, MemorySegment> pinned = new HashMap<>();
  private final CudaLibraries libraries;
  private final long text;
  private final Map<String, Integer> calls = new HashMap<>();
  private long next = 1L << 40;
  private String failing = "";
  private int passing;
  private int failure;
  private boolean broken;
  private @Nullable String misuse;

  /** What a step calls once all is warm. */
  public static final Set<String> OF_A_STEP =
      Set.of(
          "cuMemcpyHtoDAsync_v2",
          "cuMemcpyDtoHAsync_v2",
          "cuMemsetD8Async",
          "cuLaunchKernelEx",
          "cuGraphLaunch",
          "cuEventRecord",
          "cuEventSynchronize",
          "cublasLtMatmul");

  /** Makes the libraries. */
  public FakeCuda() {
    this(Set.of());
  }

  /** The same, but {@code quiet} functions do nothing at once, and are not counted. */
  public FakeCuda(Set<String> quiet) {
    text = arena.allocateFrom("FAKE_ERROR").address();
    libraries =
        new CudaLibraries(
            new CudaDriver(FakeLibrary.of(DriverTable.class, this::call, quiet, arena)),
            new Nvrtc(FakeLibrary.of(NvrtcTable.class, this::call, quiet, arena)),
            FakeLibrary.of(BlasLtTable.class, this::call, quiet, arena));
  }

  /** What a backend is opened with. */
  public CudaLibraries libraries() {
    return libraries;
  }

  /** From now on the call of {@code function} after {@code passing} others fails, once. */
  public synchronized void fail(String function, int passing, int status) {
    failing = function;
    this.passing = passing;
    failure = status;
  }

  /** Whether the failure that was asked for is still to come; it does not come any more. */
  public synchronized boolean forgetFailure() {
    boolean waiting = !failing.isEmpty();
    failing = "";
    return waiting;
  }

  /** A kernel traps: from now on every call fails. */
  public synchronized void trap() {
    broken = true;
  }

  /** How often {@code function} was called. */
  public synchronized int calls(String function) {
    return calls.getOrDefault(function, 0);
  }

  /** How many things of each kind were handed out and are not back. */
  public synchronized Map<String, Integer> live() {
    Map<String, Integer> kinds = new TreeMap<>();
    live.values().forEach(kind -> kinds.merge(kind, 1, Integer::sum));
    return kinds;
  }

  /** What was given back that was not there, if anything was. */
  public synchronized @Nullable String misuse() {
    return misuse;
  }

  // An exception must not leave it: it is called by native code.
  private synchronized long call(String name, long[] arguments) {
    calls.merge(name, 1, Integer::sum);
    if (broken && name.matches("cu[A-Z].*") && !name.startsWith("cuGetError")) {
      return LAUNCH_FAILED;
    }
    if (name.equals(failing) && passing-- == 0) {
      failing = "";
      return failure;
    }
    String made = MAKERS.get(name);
    if (made != null) {
      putLong(arguments[name.equals("cuStreamEndCapture") ? 1 : 0], hand(made));
      return 0;
    }
    String taken = TAKERS.get(name);
    if (taken != null) {
      take(arguments[0], taken);
      return 0;
    }
    return answer(name, arguments);
  }

  private long answer(String name, long[] arguments) {
    switch (name) {
      case "cuDriverGetVersion" -> putInt(arguments[0], 13000);
      case "cuDeviceGetCount" -> putInt(arguments[0], 1);
      case "cuDeviceGetName" -> memory(arguments[0], 256).setString(0, "a fake");
      case "cuDeviceGetAttribute" -> putInt(arguments[0], attribute((int) arguments[1]));
      case "cuDevicePrimaryCtxRelease_v2" -> takeContext();
      case "cuStreamSynchronize", "cuEventSynchronize", "cuEventRecord", "cuGraphLaunch" -> {
        if (!live.containsKey(arguments[0])) {
          misuse = name + " of what was given back";
        }
      }
      case "cuMemGetInfo_v2" -> {
        putLong(arguments[0], 1L << 30);
        putLong(arguments[1], 1L << 33);
      }
      case "cuMemHostAlloc" -> pin(arguments[0], arguments[1]);
      case "cuMemFreeHost" -> unpin(arguments[0]);
      case "cuModuleGetFunction" -> putLong(arguments[0], next++);
      case "cuModuleGetGlobal_v2" -> putLong(arguments[0], next++);
      case "cuMemcpyDtoH_v2" -> putInt(arguments[0], 64); // a kernel's constant
      case "cuGetErrorName", "cuGetErrorString" -> putLong(arguments[1], text);
      case "nvrtcVersion" -> {
        putInt(arguments[0], 13);
        putInt(arguments[1], 0);
      }
      case "nvrtcGetErrorString", "cublasLtGetStatusName" -> {
        return text;
      }
      case "nvrtcGetCUBINSize" -> putLong(arguments[1], 64);
      case "nvrtcGetCUBIN" -> putInt(arguments[1], 0x464c457f); // an ELF file of nothing
      case "nvrtcGetProgramLogSize" -> putLong(arguments[1], 1);
      case "nvrtcDestroyProgram" ->
          take(memory(arguments[0], 8).get(ValueLayout.JAVA_LONG, 0), "program");
      case "cublasLtGetVersion" -> {
        return 130000;
      }
      case "cublasLtMatmulAlgoGetHeuristic" -> putInt(arguments[9], 2);
      default -> {} // nothing to hand out
    }
    return 0;
  }

  private static int attribute(int attribute) {
    return switch (attribute) {
      case 75 -> 9; // compute capability
      case 76 -> 0;
      case 97 -> 227 << 10; // shared memory of a block
      default -> 132;
    };
  }

  private long hand(String kind) {
    long handle = next;
    next += 1L << 34; // apart, so that offsets do not meet
    live.put(handle, kind);
    return handle;
  }

  private void take(long handle, String kind) {
    if (!live.remove(handle, kind)) {
      misuse = "no " + kind + " " + handle + " to give back";
    }
  }

  private void takeContext() {
    if (!live.values().remove("context")) {
      misuse = "no context to give back";
    }
    List<String> left = live.values().stream().filter(kind -> !kind.equals("program")).toList();
    if (!left.isEmpty()) {
      misuse = "the context was given back before " + left;
    }
  }

  private void pin(long to, long bytes) {
    MemorySegment own = Arena.ofAuto().allocate(bytes, 64);
    long address = own.address();
    pinned.put(address, own);
    live.put(address, "pinned memory");
    putLong(to, address);
  }

  private void unpin(long address) {
    take(address, "pinned memory");
    pinned.remove(address);
  }

  private static MemorySegment memory(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  private static void putInt(long address, int value) {
    memory(address, 4).set(ValueLayout.JAVA_INT, 0, value);
  }

  private static void putLong(long address, long value) {
    memory(address, 8).set(ValueLayout.JAVA_LONG, 0, value);
  }
}
