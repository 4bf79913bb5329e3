"""The paper's Table 3 beside ours: PyTorch's SDPA (flash) and naive attention, nothing shared, times in microseconds.

b = 32, h = 32, d = 128, fp16; np tokens of prompt for each sequence. CUDA graph replay, median of 15; K and V of one layer are larger than L2.
With --shapes FILE writes the twelve rows for `chunkllama bench kernel --backend cuda --kv-type fp16 --shapes FILE` and ends; where all of the prompt is
shared, one token is each sequence's own: the one that is decoded.
Usage: table3.py [--shapes FILE]
"""

import sys

B, H, D, C = 32, 32, 128, 64
LENGTHS = [1024, 2048, 4096]


def rows():
    for length in LENGTHS:
        for shared in (0, length // 2, 3 * length // 4, length):
            yield length, shared


def time(torch, call):
    for _ in range(3):
        call()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    times = []
    for _ in range(15):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        graph.replay()
        end.record()
        torch.cuda.synchronize()
        times.append(begin.elapsed_time(end) * 1000)
    return sorted(times)[len(times) // 2]


def naive(torch, q, k, v):
    return torch.softmax(q @ k.transpose(-1, -2) * D**-0.5, -1) @ v


def main():
    if sys.argv[1:2] == ["--shapes"]:
        with open(sys.argv[2], "w") as out:
            for length, shared in rows():
                print(H, H, D, C, B, shared, max(1, length - shared), sep=",", file=out)
        return
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    print(torch.cuda.get_device_name(), "torch", torch.__version__)
    print("np,sdpa_flash_us,naive_us")
    for length in LENGTHS:
        q = torch.randn(B, H, 1, D, device="cuda", dtype=torch.float16)
        k, v = (torch.randn(B, H, length, D, device="cuda", dtype=torch.float16) for _ in range(2))
        with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
            flash = time(torch, lambda: torch.nn.functional.scaled_dot_product_attention(q, k, v))
        print(f"{length},{flash:.1f},{time(torch, lambda: naive(torch, q, k, v)):.1f}", flush=True)


main()
