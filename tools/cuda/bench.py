"""Times decode attention over the shape grid: bench.py OUT NAME=CUBINS[:balance,record,state]... [--grid full|quick|tiny] ..."""
import argparse, csv, math, os
import torch
from device import Attention, Kernel, time_graph
from planner import Costs, Sequence, plan

GRID = [(0, 1024), (0, 4096), (1024, 64), (2048, 64), (4096, 64), (2048, 512), (2048, 2048), (4096, 512), (16384, 64)]
QUICK = [(0, 1024), (1024, 64), (4096, 64), (2048, 512), (16384, 64)]
BATCHES = {"full": (1, 8, 16, 32, 64, 128), "quick": (8, 32, 64, 128), "tiny": (8, 64)}
HERE = os.path.dirname(os.path.abspath(__file__))


def batch(b, ns, nc, chunk):
    shared = list(range(ns // chunk))
    n = -(-nc // chunk)
    return [Sequence(shared + list(range(len(shared) + i * n, len(shared) + (i + 1) * n)), ns + nc - 1) for i in range(b)]


def forest(chunk):
    """4 roots of 1024 tokens, 4 branches of 512 each, 4 sequences of 128 own tokens on each branch."""
    out, counter = [], 0

    def take(n):
        nonlocal counter
        counter += n // chunk
        return list(range(counter - n // chunk, counter))

    for _ in range(4):
        root = take(1024)
        for _ in range(4):
            branch = root + take(512)
            for _ in range(4):
                out.append(Sequence(branch + take(128), 1024 + 512 + 128 - 1))
    return out


EIGHT = ("fp8", "int8")


def token_bytes(kind, d):
    """K and V of one token and head."""
    return 2 * (d + 4) if kind in EIGHT else 4 * d


class Bench:
    def __init__(self, args):
        self.args, self.kernels = args, {}
        self.pool = torch.empty(int(args.pool * 1e9) // 2, dtype=torch.float16, device="cuda")
        block = torch.randn(1 << 26, device="cuda").half()
        if args.kind in EIGHT:  # halves as bytes and as scales will do, but no e4m3 may be NaN
            block = (block.view(torch.int16) & 0x7777).view(torch.float16)
        for i in range(0, len(self.pool), len(block)):
            n = min(len(block), len(self.pool) - i)
            self.pool[i : i + n] = block[:n]
        self.processors = torch.cuda.get_device_properties(0).multi_processor_count

    def kernel(self, cubins, d, c, g):
        path = os.path.join(cubins, f"attention_d{d}_c{c}_g{g}_{self.args.kind}_half.cubin")
        if path not in self.kernels:
            self.kernels[path] = Kernel(path)
        return self.kernels[path]

    def attention(self, cubins, hq, hkv, d, c, sequences, sharing=True, costs=Costs(), runs=None):
        """A function that queues the i-th launch, over another copy of K and V each time; the copies, their values, the plan."""
        kernel = self.kernel(cubins, d, c, hq // hkv)
        p = plan(sequences, c, hq // hkv, min(kernel.row_cap, int(costs.query_rows)), max(1, self.processors // hkv), sharing, costs, runs, len(sequences))
        a = Attention(kernel, p, hq, hkv, d, c)
        values = (max(max(s.chunks) for s in sequences) + 1) * c * hkv * token_bytes(self.args.kind, d) // 2
        copies = max(1, min(len(self.pool) // values, -(-220_000_000 // (2 * values)) + 1))
        rows = len(sequences)
        q = torch.randn(rows, hq * d, device="cuda").half()
        out = torch.empty_like(q)
        scale = 1 / math.sqrt(d)
        return lambda i: a.launch(self.pool[i % copies * values :], q, out, scale), copies, values, p

    def time(self, *step, **options):
        """Microseconds of a launch, bytes of K and V, the plan; arguments of attention."""
        launch, copies, values, p = self.attention(*step, **options)
        nodes = copies * max(1, -(-24 // copies))
        return time_graph([lambda i=i: launch(i) for i in range(nodes)]), values * 2, p

    def calibrate(self, cubins):
        kernel = Kernel(os.path.join(cubins, "read.cubin"), "readAll")
        sink = torch.zeros(16, device="cuda")
        result = {}
        for mb in (1, 8, 33.5, 134, 335):
            n = int(mb * 1e6) // 16
            copies = max(2, int(250 / mb))
            best = math.inf
            for blocks in (264, 528, 1056):
                f = [lambda i=i: kernel.launch((blocks, 1, 1), 256, self.pool[i % copies * n * 8 :], (n,), sink) for i in range(max(copies, 20))]
                best = min(best, time_graph(f))
            result[mb] = best
        return result


def flashinfer():
    with open(os.path.join(HERE, "flashinfer.csv")) as f:
        return {tuple(int(r[k]) for k in ("hq", "hkv", "b", "ns", "nc")): float(r["best_us"]) for r in csv.DictReader(f)}


def geomean(xs):
    return math.exp(sum(map(math.log, xs)) / len(xs)) if xs else float("nan")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("variants", nargs="+", help="NAME=CUBINS[:balance,record,state]")
    parser.add_argument("--grid", default="full")
    parser.add_argument("--pool", type=float, default=9)
    parser.add_argument("--d", type=int, default=128)
    parser.add_argument("--chunk", type=int, default=64)
    parser.add_argument("--kind", default="fp16", help="fp16, fp8 or int8")
    args = parser.parse_args()
    bench = Bench(args)
    variants = []
    for v in args.variants:
        name, rest = v.split("=")
        cubins, _, costs = rest.partition(":")
        variants.append((name, cubins, Costs(*map(float, costs.split(","))) if costs else Costs()))
    reads = bench.calibrate(variants[0][1])
    print(torch.cuda.get_device_name(), "read us:", {k: round(v, 2) for k, v in reads.items()},
          f"slope {(335e6 - 33.5e6) / (reads[335] - reads[33.5]) / 1e6:.2f} TB/s")
    fi = flashinfer()
    ratios = {name: [] for name, _, _ in variants}
    rows = []
    print("hq/hkv   b    ns   nc  floor   best |", "  ".join(f"{name:>22s}" for name, _, _ in variants))
    for hq, hkv in ((32, 8), (32, 32)):
        for b in BATCHES[args.grid]:
            for ns, nc in GRID if args.grid == "full" else QUICK:
                line, floor = [], (ns + b * nc) * hkv * token_bytes(args.kind, args.d) / 3.02e6
                best = fi.get((hq, hkv, b, ns, nc))
                for name, cubins, costs in variants:
                    t, _, p = bench.time(cubins, hq, hkv, args.d, args.chunk, batch(b, ns, nc, args.chunk), True, costs)
                    rows.append((name, hq, hkv, args.d, args.chunk, b, ns, nc, round(t, 3), round(floor, 3)))
                    if ns > 0 and b >= 8:
                        ratios[name].append(t / floor)
                    line.append(f"{t:8.1f} {t / floor:5.2f} {t / best if best else float('nan'):5.2f}fi")
                print(f"{hq}/{hkv:<3d} {b:4d} {ns:5d} {nc:4d} {floor:7.1f} {best or float('nan'):7.1f}|", "  ".join(line), flush=True)
    for hq, hkv in ((32, 8), (32, 32)):
        sequences = forest(args.chunk)
        floor = (max(max(s.chunks) for s in sequences) + 1) * args.chunk * hkv * token_bytes(args.kind, args.d) / 3.02e6
        line = []
        for name, cubins, costs in variants:
            t, _, _ = bench.time(cubins, hq, hkv, args.d, args.chunk, sequences, True, costs)
            u, _, _ = bench.time(cubins, hq, hkv, args.d, args.chunk, sequences, False, costs)
            line.append(f"{t:8.1f} {t / floor:5.2f} off {u:6.1f}")
        print(f"{hq}/{hkv:<3d} forest          {floor:7.1f}        |", "  ".join(line))
    for name, xs in ratios.items():
        print(f"{name}: geometric mean of time/floor, ns > 0, b >= 8: {geomean(xs):.3f} over {len(xs)} rows")
    with open(args.out, "w") as f:
        w = csv.writer(f)
        w.writerow("variant,hq,hkv,d,c,b,ns,nc,time_us,floor_us".split(","))
        w.writerows(rows)


if __name__ == "__main__":
    main()
