"""Attention as a step has it, behind a product that sweeps the caches, beside attention again and again: behind.py CUBINS (compile.py's).

Takes the product's time off. "tiny": a step of few tokens, which brings instructions to the caches again.
"""
import sys
from argparse import Namespace
import torch
import bench
from device import Attention, time_graph
from planner import Costs, plan

SHAPES = ((32, 8, 64, 2048, 64), (32, 8, 64, 2048, 16), (32, 32, 32, 2048, 64), (32, 8, 128, 2048, 64), (32, 8, 8, 1024, 64))
D, CHUNK, NODES = 128, 64, 16


def attention(b, cubins, hq, hkv, batch, ns, nc):
    """A function that queues the i-th launch, over another copy of K and V each time."""
    kernel = b.kernel(cubins, D, CHUNK, hq // hkv)
    sequences = bench.batch(batch, ns, nc, CHUNK)
    p = plan(sequences, CHUNK, hq // hkv, min(kernel.row_cap, int(Costs().query_rows)), b.processors // hkv, True, Costs(), None, batch)
    a = Attention(kernel, p, hq, hkv, D, CHUNK)
    values = (max(max(s.chunks) for s in sequences) + 1) * CHUNK * hkv * 2 * D
    copies = max(1, min(len(b.pool) // values, -(-220_000_000 // (2 * values)) + 1))
    q = torch.randn(batch, hq * D, device="cuda").half()
    out = torch.empty_like(q)
    return lambda i: a.launch(b.pool[i % copies * values :], q, out, D**-0.5)


def micros(*kinds):
    return time_graph([lambda i=i: [f(i) for f in kinds] for i in range(NODES)])


def main():
    b = bench.Bench(Namespace(pool=6, kind="fp16"))
    weights = [torch.randn(4096, 28672, device="cuda").half() for _ in range(3)]
    x = torch.randn(64, 4096, device="cuda").half()
    y = torch.empty(64, 28672, device="cuda").half()
    product = lambda i: torch.mm(x, weights[i % 3], out=y)
    for hq, hkv, batch, ns, nc in SHAPES:
        f, tiny = attention(b, sys.argv[1], hq, hkv, batch, ns, nc), attention(b, sys.argv[1], hq, hkv, 8, 64, 8)
        alone, swept = micros(product), micros(product, tiny)
        print(f"{hq}/{hkv} b={batch} ({ns},{nc}): again and again {micros(f):.2f}, behind a product {micros(product, f) - alone:.2f}, behind product and tiny "
              f"{micros(product, tiny, f) - swept:.2f}; tiny {micros(tiny):.2f}, behind a product {swept - alone:.2f}", flush=True)


main()
