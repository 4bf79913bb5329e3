"""Driver calls for the harness: modules, launches into torch's current stream."""
import ctypes, os
import torch

cuda = ctypes.CDLL("libcuda.so.1")


def ok(status):
    if status != 0:
        text = ctypes.c_char_p()
        cuda.cuGetErrorString(status, ctypes.byref(text))
        raise RuntimeError(f"CUDA {status}: {text.value}")


class Attribute(ctypes.Structure):
    _fields_ = [("id", ctypes.c_int), ("pad", ctypes.c_int), ("value", ctypes.c_int), ("rest", ctypes.c_int * 15)]


class Config(ctypes.Structure):
    _fields_ = [("grid", ctypes.c_uint * 3), ("block", ctypes.c_uint * 3), ("shared", ctypes.c_uint), ("stream", ctypes.c_void_p),
                ("attributes", ctypes.POINTER(Attribute)), ("count", ctypes.c_uint)]


COOPERATIVE, PROGRAMMATIC = 2, 6  # CUlaunchAttributeID


class Kernel:
    """attributes: of launches whose blocks wait for each other; PROGRAMMATIC of all."""

    def __init__(self, path, name="attention", attributes=(COOPERATIVE, PROGRAMMATIC)):
        self.attributes = attributes
        torch.zeros(1, device="cuda")
        module = ctypes.c_void_p()
        self.image = open(path, "rb").read()
        ok(cuda.cuModuleLoadData(ctypes.byref(module), self.image))
        self.function = ctypes.c_void_p()
        ok(cuda.cuModuleGetFunction(ctypes.byref(self.function), module, name.encode()))
        self.module, self.shared, self.together = module, 0, False
        if name == "attention":
            self.together = True  # blocks wait for each other
            self.shared = self.constant("attention_shared_bytes")
            self.row_cap = self.constant("attention_row_cap")
            self.threads = self.constant("attention_threads")
            ok(cuda.cuFuncSetAttribute(self.function, 8, self.shared))

    def constant(self, name):
        at, size, value = ctypes.c_void_p(), ctypes.c_size_t(), ctypes.c_int()
        ok(cuda.cuModuleGetGlobal_v2(ctypes.byref(at), ctypes.byref(size), self.module, name.encode()))
        ok(cuda.cuMemcpyDtoH_v2(ctypes.byref(value), at, 4))
        return value.value

    def launch(self, grid, threads, *args):
        values = []
        for x in args:
            if isinstance(x, torch.Tensor):
                values.append(ctypes.c_void_p(x.data_ptr()))
            elif isinstance(x, float):
                values.append(ctypes.c_float(x))
            elif isinstance(x, tuple):
                values.append(ctypes.c_long(x[0]))
            else:
                values.append(ctypes.c_int(x))
        pointers = (ctypes.c_void_p * len(values))(*[ctypes.cast(ctypes.pointer(v), ctypes.c_void_p) for v in values])
        stream = ctypes.c_void_p(torch.cuda.current_stream().cuda_stream)
        # Blocks wait for each other: all must be on the device together.
        ids = [i for i in self.attributes if grid[0] > 1 or i != COOPERATIVE] if self.together else []
        attributes = (Attribute * max(1, len(ids)))(*[Attribute(i, 0, 1) for i in ids])
        config = Config((ctypes.c_uint * 3)(*grid), (ctypes.c_uint * 3)(threads, 1, 1), self.shared, stream, attributes, len(ids))
        ok(cuda.cuLaunchKernelEx(ctypes.byref(config), self.function, pointers, None))


class Attention:
    """A plan on the device and the launch that works through it."""

    def __init__(self, kernel, plan, hq, hkv, d, chunk):
        self.kernel, self.plan, self.hq, self.hkv, self.d = kernel, plan, hq, hkv, d
        up = lambda x: torch.from_numpy(x).to("cuda", torch.int32)
        self.tables = [up(x) for x in (plan.records, plan.lengths, plan.chunk_ids, plan.row_position, plan.row_partial_start, plan.row_partial)]
        n = max(1, plan.partials)
        self.waits = up(plan.waits)
        self.o = torch.full((n, hq, d), float("nan"), device="cuda")
        self.ml = torch.full((n, hq, 2), float("nan"), device="cuda")
        self.ready = torch.zeros(4 + plan.lanes * plan.record_cap * hkv, dtype=torch.int32, device="cuda")

    def launch(self, kv, q, out, scale):
        self.kernel.launch((self.plan.lanes, self.hkv, 1), self.kernel.threads, kv, q, (q.stride(0),), out, (out.stride(0),), *self.tables, self.o, self.ml,
                           self.ready, self.waits, self.plan.record_cap, self.plan.waits.shape[1], float(scale))


def time_graph(launches, replays=15, floor_seconds=0.0):
    """Median microseconds of one launch; launches: functions put into one graph, one after the other."""
    for f in launches[:2]:
        f()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for f in launches:
            f()
    times = []
    for _ in range(3):
        graph.replay()
    for _ in range(replays):
        a, b = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        a.record()
        graph.replay()
        b.record()
        b.synchronize()
        times.append(a.elapsed_time(b) * 1000 / len(launches))
    return sorted(times)[len(times) // 2]
