"""Products with Q8_0 weights (quantised.cu) against cuBLAS: quantised.py compile OUT | run OUT.

compile needs no GPU. run: correctness against float64, then times in a graph over copies that exceed L2, median.
"""
import ctypes, os, sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
VARIANTS = [(1, 8, 4), (1, 4, 8), (1, 4, 4), (1, 8, 6), (2, 4, 4)]  # tiles, warps, ahead
SIZES = [(12288, 4096), (4096, 4096), (22016, 4096), (4096, 11008), (32000, 4096), (6144, 4096)]
ROWS = [1, 4, 8, 16, 32]


def name(product, rows8, variant):
    return f"q8_p{product}_r{rows8}_t{variant[0]}w{variant[1]}a{variant[2]}.cubin"


def build(out):
    import compile

    lib = compile.nvrtc()
    for product in (1, 2):
        for rows8 in (1, 2, 4):
            for v in VARIANTS:
                options = [f"-DPRODUCT_TYPE={product}", f"-DROWS8={rows8}", f"-DTILES={v[0]}", f"-DWARPS={v[1]}", f"-DAHEAD={v[2]}"]
                cubin, log = compile.compile(lib, options, "sm_90a", "quantised.cu")
                open(os.path.join(out, name(product, rows8, v)), "wb").write(cubin)
                lines = log.split("\n")
                for i, line in enumerate(lines):
                    if "product_q8" in line and "Compiling" in line:
                        print(name(product, rows8, v), [x.strip() for x in lines[i + 1 : i + 4] if "registers" in x or "spill" in x])


def run(out):
    import torch
    from device import Kernel, time_graph

    torch.manual_seed(1)

    class Product:
        def __init__(self, product, rows8, variant):
            path = os.path.join(out, name(product, rows8, variant))
            self.main, self.pack, self.dequantise = (Kernel(path, k) for k in ("product_q8", "pack_q8", "dequantise_q8_tiles"))
            self.rows8, self.v, self.dtype = rows8, variant, torch.float16 if product == 1 else torch.bfloat16

        def weight(self, raw, n, k):
            blocks, tiles = k // 32, (n + 15) // 16
            w = torch.zeros(tiles * blocks * 512, dtype=torch.uint8, device="cuda")
            s = torch.zeros(tiles * blocks * 16, dtype=torch.float16, device="cuda")
            self.pack.launch((4096, 1, 1), 256, raw, n, blocks, 0, w, s)
            return w, s

        def launch(self, w, s, x, y, parts, scratch, arrivals, add=0):
            rows, k = x.shape
            n = y.shape[1]
            per = 16 * self.v[0] * self.v[1]
            self.main.launch(((n + per - 1) // per, parts, 1), 32 * self.v[1], w, s, x, x.stride(0), k // 32, n, rows, y, y.stride(0), add,
                             scratch, arrivals)

    def quantise(n, k):
        w = torch.randn(n, k // 32, 32, device="cuda") / k ** 0.5
        d = (w.abs().amax(-1, keepdim=True) / 127).half()
        q = torch.round(w / d.float()).clamp(-127, 127).to(torch.int8)
        raw = torch.cat([d.view(torch.uint8).view(n, k // 32, 2), q.view(torch.uint8)], -1).contiguous()
        return raw.view(-1), (q.double() * d.double()).view(n, k)

    made = {}

    def product_of(*key):
        if key not in made:
            made[key] = Product(*key)
        return made[key]

    scratch = torch.zeros(16 * 32 * 40000, device="cuda")
    arrivals = torch.zeros(4096, dtype=torch.int32, device="cuda")
    worst = 0
    for product in (1, 2):
        for n, k in ((100, 64), (4096, 4096), (333, 352)):
            raw, exact = quantise(n, k)
            for rows8 in (1, 2, 4):
                p = product_of(product, rows8, VARIANTS[0])
                w, s = p.weight(raw, n, k)
                deq = torch.zeros(n, k, dtype=p.dtype, device="cuda")
                p.dequantise.launch((1024, 1, 1), 256, w, s, n, k // 32, deq, k)
                assert torch.equal(deq, exact.float().to(p.dtype)), "dequantised"
                for rows in (1, 8 * rows8 - 3, 8 * rows8):
                    x = torch.randn(rows, k, device="cuda").to(p.dtype)
                    expected = x.double() @ exact.T
                    for parts in (1, 2, 3):
                        y = torch.full((rows, n), 7.0, device="cuda")
                        p.launch(w, s, x, y, parts, scratch, arrivals, add=1)
                        error = ((y.double() - 7 - expected).norm() / expected.norm()).item()
                        worst = max(worst, error)
                        assert error < 1e-5, (product, n, k, rows, parts, error)
    print(f"correct; worst relative error {worst:.2e}")
    print("n,k,rows,type,cublas_us,q8_us,ratio,variant,parts,floor16_us,floor8_us")
    for product in (2, 1):
        dtype = torch.float16 if product == 1 else torch.bfloat16
        for n, k in SIZES if product == 2 else SIZES[1:3]:
            raw, _ = quantise(n, k)
            copies = max(2, int(220e6 / (n * k)) + 1)
            dense = [torch.randn(n, k, device="cuda").to(dtype) for _ in range(max(2, copies // 2 + 1))]
            base = product_of(product, 1, VARIANTS[0])
            packs = [base.weight(raw, n, k) for _ in range(copies)]
            for rows in ROWS:
                x = torch.randn(rows, k, device="cuda").to(dtype)
                blas = time_graph([lambda w=w: torch.mm(x, w.T) for w in dense] * 2)
                rows8 = 1 if rows <= 8 else 2 if rows <= 16 else 4
                best = (1e9,)
                y = torch.zeros(rows, n, device="cuda")
                for v in VARIANTS:
                    p = product_of(product, rows8, v)
                    for parts in (1, 2, 4, 8, 16):
                        if k // 32 // parts < 4 or (n // (16 * v[0] * v[1])) * parts > 132 * 24:
                            continue
                        t = time_graph([lambda w=w: p.launch(*w, x, y, parts, scratch, arrivals) for w in packs], 7)
                        if t < best[0]:
                            best = (t, v, parts)
                print(f"{n},{k},{rows},{'fp16' if product == 1 else 'bf16'},{blas:.1f},{best[0]:.1f},{best[0] / blas:.2f},{best[1]},{best[2]},"
                      f"{2 * n * k / 3.02e6:.1f},{34 / 32 * n * k / 3.02e6:.1f}".replace(", ", "/"), flush=True)
            del dense, packs


if __name__ == "__main__":
    build(sys.argv[2]) if sys.argv[1] == "compile" else run(sys.argv[2])
