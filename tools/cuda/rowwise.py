"""Times of what works row by row, one after the other in a graph, launched early and not, by threads of a block: rowwise.py.

Llama-3.1-8B's shapes. Compiles what it needs. The launch before is of the same kernel: in a step it is another one.
"""
import os, tempfile
import torch
import compile
from device import PROGRAMMATIC, Kernel, time_graph

HQ, HKV, D, WIDTH, MLP = 32, 8, 128, 4096, 14336
NODES = 32
folder = tempfile.mkdtemp()


def built(source, *constants):
    path = os.path.join(folder, source + ".cubin")
    open(path, "wb").write(compile.compile(compile.nvrtc(), [f"-D{c}" for c in constants], "sm_90a", source)[0])
    return path


def kernel(path, name, early):
    made = Kernel(path, name, (PROGRAMMATIC,))
    made.together = early
    return made


def line(what, rows, variants):
    cells = [f"{'early' if early else 'plain'} {label}: {len(launches) * time_graph(launches * (NODES // len(launches))):.2f}"
             for early in (False, True) for label, launches in variants(early)]
    print(f"{what}, {rows} rows | " + " | ".join(cells), flush=True)


def norms(rows):
    path = built("norm.cu", "PRODUCT_TYPE=1")
    weight = torch.randn(WIDTH, device="cuda")
    x, z = torch.randn(rows, WIDTH, device="cuda"), torch.empty(rows, WIDTH, device="cuda", dtype=torch.float16)

    def variants(early):
        norm = kernel(path, "rms_norm", early)
        return [(t, [lambda t=t: norm.launch((rows, 1, 1), t, x, weight, 1e-5, WIDTH, (0,), z, WIDTH)]) for t in (256, 512, 1024)]

    line("norm", rows, variants)


def gates(rows):
    path = built("silu_gate.cu", "PRODUCT_TYPE=1")
    x, z = torch.randn(rows, 2 * MLP, device="cuda"), torch.empty(rows, MLP, device="cuda", dtype=torch.float16)

    def variants(early):
        gate = kernel(path, "silu_gate", early)
        return [(t, [lambda t=t: gate.launch((-(-MLP // 4 // t), rows, 1), t, x, MLP, (0,), z, MLP)]) for t in (128, 256, 512)]

    line("gate", rows, variants)


def appends(rows):
    cache, turn = built("kv_cache.cu", f"HEAD_DIM={D}", "CHUNK=64", "KV_TYPE=1"), built("rotary.cu")
    columns = (HQ + 2 * HKV) * D
    x, q = torch.randn(rows, columns, device="cuda"), torch.empty(rows, HQ * D, device="cuda", dtype=torch.float16)
    kv = torch.empty((rows + 64) * HKV * 2 * D, device="cuda", dtype=torch.float16)
    cosines, sines = torch.randn(4096, D // 2, device="cuda"), torch.randn(4096, D // 2, device="cuda")
    position = torch.arange(rows, device="cuda", dtype=torch.int32)
    chunk, slot = (position // 64).int(), (position % 64).int()

    def variants(early):
        rotary, append, both = kernel(turn, "rotary", early), kernel(cache, "append", early), kernel(cache, "rotary_append", early)
        two = [lambda: rotary.launch((10, rows, 1), 256, x, rows, columns, 0, HQ + HKV, D, cosines, sines, D // 2, 0, position, q, HQ * D, HQ * D, 1),
               lambda: append.launch((8, rows, 1), 256, kv, x, columns, HKV, chunk, slot)]
        one = lambda t: [lambda: both.launch((-(-(HQ + 2 * HKV) * (D // 16) // t), rows, 1), t, kv, x, columns, HQ, HKV, cosines, sines, 0, position, chunk, slot, q, HQ * D)]
        return [("two", two)] + [(f"one {t}", one(t)) for t in (64, 128, 256)]

    line("rotary and append", rows, variants)


for count in (1, 64, 2048):
    norms(count)
    gates(count)
    appends(count)
