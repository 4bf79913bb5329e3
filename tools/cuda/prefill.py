"""Speed of prefill attention, causal: prefill.py CUBINS. One sequence of n tokens, all computed in one step, or its last 512."""
import math, sys, torch
from device import Attention, Kernel, time_graph
from planner import Sequence, plan


def main():
    d, c = 128, 64
    for hq, hkv in ((32, 32), (32, 8)):
        kernel = Kernel(f"{sys.argv[1]}/attention_d128_c64_g{hq // hkv}_fp16_half.cubin")
        for n, rows in ((2048, 2048), (8192, 8192), (8192, 512)):
            p = plan([Sequence(list(range(n // c)), n - rows, rows)], c, hq // hkv, kernel.row_cap, 132 // hkv)
            a = Attention(kernel, p, hq, hkv, d, c)
            kv = torch.randn(n * hkv * d * 2, device="cuda").half()
            q = torch.randn(rows, hq * d, device="cuda").half()
            out = torch.empty_like(q)
            t = time_graph([lambda: a.launch(kv, q, out, 1 / math.sqrt(d))] * 5)
            work = 4 * hq * d * sum(range(n - rows + 1, n + 1))
            print(f"{hq}/{hkv} tokens {n} rows {rows}: {t:.0f} us, {work / t / 1e6:.0f} TFLOP/s, records {p.segments} partials {p.partials}", flush=True)


if __name__ == "__main__":
    main()
