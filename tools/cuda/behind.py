"""Attention as a step has it, behind a product that sweeps the caches, beside attention again and again: behind.py CUBINS (compile.py's).

Takes the product's time off. "tiny": a step of few tokens, which brings instructions to the caches again.
"""
import sys
from argparse import Namespace
import torch
import bench
from device import time_graph

SHAPES = ((32, 8, 64, 2048, 64), (32, 8, 64, 2048, 16), (32, 32, 32, 2048, 64), (32, 8, 128, 2048, 64), (32, 8, 8, 1024, 64))
D, CHUNK, NODES = 128, 64, 16


def micros(*kinds):
    return time_graph([lambda i=i: [f(i) for f in kinds] for i in range(NODES)])


def main():
    b = bench.Bench(Namespace(pool=6, kind="fp16"))
    weights = [torch.randn(4096, 28672, device="cuda").half() for _ in range(3)]
    x = torch.randn(64, 4096, device="cuda").half()
    y = torch.empty(64, 28672, device="cuda").half()
    product = lambda i: torch.mm(x, weights[i % 3], out=y)
    for hq, hkv, batch, ns, nc in SHAPES:
        f, tiny = (b.attention(sys.argv[1], hq, hkv, D, CHUNK, bench.batch(*step, CHUNK))[0] for step in ((batch, ns, nc), (8, 64, 8)))
        alone, swept = micros(product), micros(product, tiny)
        print(f"{hq}/{hkv} b={batch} ({ns},{nc}): again and again {micros(f):.2f}, behind a product {micros(product, f) - alone:.2f}, behind product and tiny "
              f"{micros(product, tiny, f) - swept:.2f}; tiny {micros(tiny):.2f}, behind a product {swept - alone:.2f}", flush=True)


main()
