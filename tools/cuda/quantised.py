"""Products with quantised weights (quantised.cu) against cuBLAS: quantised.py compile OUT [tune] | check OUT | tune OUT FORMAT...
| table OUT FORMAT... | once OUT NxK ROWS FORMAT

compile needs no GPU. check: packing, dequantising and products against float64 over random blocks. tune: the fastest of several divisions into
warps and parts. table: the division of the kernel itself, parts as QuantisedProducts chooses them. Times in a graph over copies that exceed L2, median.
"""
import ctypes, os, sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
# (tiles, warps across, warps along, blocks on a multiprocessor) by blocks of 8 rows
VARIANTS = {
    1: [(1, 1, 8, 3), (2, 1, 4, 3), (1, 1, 8, 2), (2, 1, 8, 2), (2, 1, 16, 1)],
    2: [(2, 1, 4, 3), (2, 1, 8, 1), (2, 1, 8, 2), (2, 2, 4, 2), (2, 1, 16, 1)],
    4: [(2, 1, 4, 3), (2, 1, 8, 1), (2, 1, 8, 2), (2, 2, 4, 2), (4, 1, 8, 1)],
}
BLOCKS = {"Q8_0": (32, 34, 544), "Q4_0": (32, 18, 288), "Q4_1": (32, 20, 320), "Q4_K": (256, 144, 2368), "Q5_K": (256, 176, 2880), "Q6_K": (256, 210, 3360)}
SIZES = [(12288, 4096), (4096, 4096), (22016, 4096), (4096, 11008), (32000, 4096), (6144, 4096), (28672, 4096), (4096, 14336), (128256, 4096)]
ROWS = [1, 4, 8, 16, 32]
UNITS = 132
FEW = ()  # the kernel's own division for few outputs


def name(kind, fmt, product, rows8=0, variant=None):
    return f"{kind}_{fmt}_p{product}_r{rows8}" + ("" if variant is None else "_few" if variant == FEW else "_t%da%dl%db%d" % variant) + ".cubin"


def build(out, tune):
    import compile, re

    os.makedirs(out, exist_ok=True)
    lib = compile.nvrtc()

    def one(file, source, options, kernel):
        cubin, log = compile.compile(lib, options, "sm_90a", source)
        open(os.path.join(out, file), "wb").write(cubin)
        m = re.search(rf"Compiling entry function '{kernel}'(.*?)(?=Compiling entry|\Z)", log, re.S)
        print(file, re.findall(r"Used \d+ registers|\d+ bytes spill stores", m[1] if m else ""))

    for fmt in BLOCKS:
        for product in (1, 2):
            options = [f"-DFORMAT={fmt}", f"-DPRODUCT_TYPE={product}"]
            one(name("rows", fmt, product), "quantised_rows.cu", options, "pack")
            for rows8 in (1, 2, 4):
                more = options + [f"-DROWS8={rows8}"]
                one(name("q", fmt, product, rows8), "quantised.cu", more + ["-DFEW_OUTPUTS=0"], "product")
                one(name("q", fmt, product, rows8, FEW), "quantised.cu", more + ["-DFEW_OUTPUTS=1"], "product")
                if tune and product == 2:
                    for v in VARIANTS[rows8]:
                        shape = [f"-DTILES={v[0]}", f"-DACROSS={v[1]}", f"-DALONG={v[2]}", f"-DRESIDENT={v[3]}"]
                        try:
                            one(name("q", fmt, product, rows8, v), "quantised.cu", more + shape, "product")
                        except SystemExit as e:
                            print(name("q", fmt, product, rows8, v), "no", "shared memory" if "shared memory" in str(e) else e)


def modules(out):
    import torch
    from device import Kernel, cuda, ok

    sums = torch.zeros(1 << 25, device="cuda")
    arrivals = torch.zeros(1 << 14, dtype=torch.int32, device="cuda")

    class Product:
        """quantised.cu of one format, type and number of rows."""

        def __init__(self, fmt, product, rows8, variant=None):
            self.fmt, self.rows8, self.dtype = fmt, rows8, torch.float16 if product == 1 else torch.bfloat16
            path = os.path.join(out, name("q", fmt, product, rows8, variant))
            self.kernel = Kernel(path, "product")
            self.kernel.shared = self.kernel.constant("product_shared_bytes")
            ok(cuda.cuFuncSetAttribute(self.kernel.function, 8, self.kernel.shared))
            self.threads = self.kernel.constant("product_threads")
            self.most = UNITS * self.kernel.constant("product_resident")
            self.columns = self.kernel.constant("product_columns")
            self.sums, self.arrivals = sums, arrivals

        def groups(self, n):
            return -(-n // self.columns)

        def launch(self, w, x, y, parts, add=0):
            n = y.shape[1]
            items = self.groups(n) * parts
            self.kernel.launch((min(items, self.most), 1, 1), self.threads, w, x, x.stride(0), x.shape[1] // BLOCKS[self.fmt][0], n, x.shape[0], y, y.stride(0), add,
                               parts, self.sums, self.arrivals)

    class Rows:
        """quantised_rows.cu of one format and type."""

        def __init__(self, fmt, product):
            self.fmt = fmt
            path = os.path.join(out, name("rows", fmt, product))
            self.pack_kernel, self.dequantise, self.embed, self.random = (Kernel(path, k) for k in ("pack", "dequantise", "embed", "random_tiles"))

        def empty(self, n, k):
            return torch.zeros(-(-n // 16) * (k // BLOCKS[self.fmt][0]) * BLOCKS[self.fmt][2], dtype=torch.uint8, device="cuda")

        def pack(self, raw, n, k):
            w, beyond = self.empty(n, k), torch.zeros(1, dtype=torch.int32, device="cuda")
            self.pack_kernel.launch((4096, 1, 1), 256, raw, n, k // BLOCKS[self.fmt][0], 0, w, beyond, 1)
            return w, beyond

        def made(self, n, k, seed):
            w = self.empty(n, k)
            self.random.launch((4096, 1, 1), 256, (seed,), (3.0 / k) ** 0.5, (w.numel() // BLOCKS[self.fmt][2],), w)
            return w

    return Product, Rows


def blocks(fmt, n, k):
    """Random blocks as in a file and, apart from the kernels, their values in float64."""
    import torch

    values, size, _ = BLOCKS[fmt]
    raw = torch.randint(0, 256, (n, k // values, size), dtype=torch.uint8, device="cuda")

    def half(at, scale):
        h = ((torch.rand(raw.shape[:2], device="cuda") + 0.5) * scale * (torch.randint(0, 2, raw.shape[:2], device="cuda") * 2 - 1)).half()
        raw[:, :, at : at + 2] = h.view(torch.uint8).view(*raw.shape[:2], 2)
        return h.double()[:, :, None]

    byte = lambda a, b: raw[:, :, a:b].to(torch.int32)
    signed = lambda a, b: raw[:, :, a:b].contiguous().view(torch.int8).double()
    nibbles = lambda q: torch.cat([q & 15, q >> 4], -1)
    if fmt == "Q8_0":
        w = half(0, 0.01) * signed(2, 34)
    elif fmt == "Q4_0":
        w = half(0, 0.2) * (nibbles(byte(2, 18)) - 8)
    elif fmt == "Q4_1":
        w = half(0, 0.2) * nibbles(byte(4, 20)) + half(2, 1.5)
    elif fmt == "Q6_K":
        low, high = byte(0, 128), byte(128, 192)
        q = []
        for part in range(8):
            half_of, quarter = part // 4, part % 4
            a = low[:, :, 64 * half_of + 32 * (quarter % 2) :][:, :, :32] >> (4 * (quarter // 2)) & 15
            b = high[:, :, 32 * half_of :][:, :, :32] >> (2 * quarter) & 3
            q.append(a + 16 * b)
        w = half(208, 0.0007) * signed(192, 208).repeat_interleave(16, -1) * (torch.cat(q, -1) - 32)
    else:
        at = 48 if fmt == "Q5_K" else 16
        s = byte(4, 16)
        scale = torch.cat([s[:, :, :4] & 63, (s[:, :, 8:] & 15) | (s[:, :, :4] >> 6) << 4], -1)
        least = torch.cat([s[:, :, 4:8] & 63, s[:, :, 8:] >> 4 | (s[:, :, 4:8] >> 6) << 4], -1)
        q = []
        for part in range(8):
            a = byte(at + 32 * (part // 2), at + 32 * (part // 2) + 32) >> (4 * (part % 2)) & 15
            q.append(a + ((byte(16, 48) >> part & 1) << 4 if fmt == "Q5_K" else 0))
        w = half(0, 0.004) * scale.repeat_interleave(32, -1) * torch.cat(q, -1) - half(2, 0.03) * least.repeat_interleave(32, -1)
    return raw.view(-1), w.reshape(n, k)


def check(out):
    import torch

    torch.manual_seed(1)
    Product, Rows = modules(out)
    count = 0
    for fmt, (values, _, _) in BLOCKS.items():
        worst = 0
        for product in (1, 2):
            rows_of = Rows(fmt, product)
            products = {(r, few): Product(fmt, product, r, few) for r in (1, 2, 4) for few in (None, FEW)}
            for n, k in ((100, values), (333, 1024 + values), (4096, 4096), (17, 11 * values), (1, 2 * values), (2000, 14336)):
                raw, exact = blocks(fmt, n, k)
                w, beyond = rows_of.pack(raw, n, k)
                dtype = products[1, None].dtype
                wide = torch.full((n, k), 7.0, dtype=dtype, device="cuda")
                rows_of.dequantise.launch((1024, 1, 1), 256, w, n, k // values, wide, k)
                assert torch.equal(wide, exact.float().to(dtype)), (fmt, "dequantised")
                tokens = torch.randint(0, n, (50,), dtype=torch.int32, device="cuda")
                table = torch.full((50, k), 7.0, device="cuda")
                rows_of.embed.launch((50, 1, 1), 256, w, 0, n, tokens, k, table)
                assert torch.equal(table, exact.float()[tokens.long()]), (fmt, "embedded")
                assert beyond.item() == 0
                for (rows8, _), p in products.items():
                    for rows in {1, 8 * rows8 - 3, 8 * rows8}:
                        x = torch.randn(rows, k, device="cuda").to(dtype)
                        expected = x.double() @ exact.T
                        size = x.double().abs() @ exact.abs().T
                        for parts in (1, 2, 3, 8):
                            if p.groups(n) * parts * 8 * rows8 * p.columns > p.sums.numel():
                                continue
                            results = []
                            for _ in range(2):
                                y = torch.full((rows + 1, n + 5), 7.0, device="cuda")
                                p.launch(w, x, y[:rows, :n], parts, add=1)
                                results.append(y)
                            assert torch.equal(*results), "again"
                            assert (y[rows] == 7).all() and (y[:, n:] == 7).all(), "beyond"
                            error = ((y[:rows, :n].double() - 7 - expected).abs() / (size + 7)).max().item()
                            worst = max(worst, error)
                            count += 1
                            assert error < 2e-6, (fmt, product, n, k, rows, parts, error)
            # Scales that are no numbers reach their row alone.
            raw, _ = blocks(fmt, 64, 2 * values)
            size = BLOCKS[fmt][1]
            at = 208 if fmt == "Q6_K" else 0
            for row, bits in ((3, 0x7E00), (12, 0x7C00)):
                raw[row * 2 * size + at : row * 2 * size + at + 2] = torch.tensor([bits & 255, bits >> 8], dtype=torch.uint8, device="cuda")
            w, beyond = rows_of.pack(raw, 64, 2 * values)
            assert (beyond.item() == 1) == (product == 1), "beyond fp16"
            y = torch.zeros(2, 64, device="cuda")
            products[1, None].launch(w, torch.randn(2, 2 * values, device="cuda").to(dtype), y, 1)
            broken = ~torch.isfinite(y).all(0)
            assert broken.nonzero().flatten().tolist() == [3, 12], broken.nonzero()
        print(f"{fmt}: correct, worst error of sum |w x| {worst:.2e}", flush=True)
    print(count, "products checked")


def few_outputs(n):
    return n <= 32 * UNITS


def parts_of(p, n, k):
    """As QuantisedProducts chooses them."""
    groups = p.groups(n)
    best, chosen = 1e9, 1
    for parts in (1, 2, 3, 4, 6, 8):
        if parts > 1 and k / parts < 1024:
            break
        cost = -(-groups * parts // UNITS) / parts + (0.5 if parts > 1 else 0)
        if cost < best:
            best, chosen = cost, parts
    return chosen


def measure(out, formats, tune, sizes, rows_list, once=False):
    import torch
    from device import time_graph

    torch.manual_seed(1)
    Product, Rows = modules(out)
    made = {}

    def product_of(*key):
        if key not in made:
            made[key] = Product(*key)
        return made[key]

    print("format,n,k,rows,cublas_us,us,ratio,variant,parts,floor16_us,floor_us")
    for n, k in sizes:
        dense = [torch.randn(n, k, device="cuda").to(torch.bfloat16) for _ in range(max(2, int(110e6 / (n * k)) + 1))]
        blas = {}
        for rows in rows_list:
            x = torch.randn(rows, k, device="cuda").to(torch.bfloat16)
            blas[rows] = time_graph([lambda w=w: torch.mm(x, w.T) for w in dense] * 2, 9)
        del dense
        for fmt in formats:
            values, _, size = BLOCKS[fmt]
            rows_of = Rows(fmt, 2)
            one = -(-n // 16) * (k // values) * size
            packs = [rows_of.made(n, k, i) for i in range(max(2, int(180e6 / one) + 1))]
            for rows in rows_list:
                x = torch.randn(rows, k, device="cuda").to(torch.bfloat16)
                y = torch.zeros(rows, n, device="cuda")
                rows8 = 1 if rows <= 8 else 2 if rows <= 16 else 4
                if once:
                    p = product_of(fmt, 2, rows8, FEW if rows8 > 1 and few_outputs(n) else None)
                    [p.launch(w, x, y, parts_of(p, n, k)) for w in packs[:3]]
                    torch.cuda.synchronize()
                    continue
                times = []
                for v in VARIANTS[rows8] if tune else [FEW if rows8 > 1 and few_outputs(n) else None]:
                    if not os.path.exists(os.path.join(out, name("q", fmt, 2, rows8, v))):
                        continue  # too much shared memory
                    p = product_of(fmt, 2, rows8, v)
                    for parts in (1, 2, 4) if tune else [parts_of(p, n, k)]:
                        if tune and parts > 1 and (k // 256 // parts < 2 or p.groups(n) * parts > 1500):
                            continue
                        times.append((time_graph([lambda w=w: p.launch(w, x, y, parts) for w in packs], 7), "%d/%d/%d/%d" % v if v else "many" if v is None else "few", parts))
                times.sort()
                for t in times[: 4 if tune else 1]:
                    print(f"{fmt},{n},{k},{rows},{blas[rows]:.1f},{t[0]:.1f},{t[0] / blas[rows]:.2f},{t[1]},{t[2]},{2 * n * k / 3.02e6:.1f},{one / 3.02e6:.1f}", flush=True)
            del packs


if __name__ == "__main__":
    what, out = sys.argv[1:3]
    if what == "compile":
        build(out, "tune" in sys.argv)
    elif what == "check":
        check(out)
    elif what == "once":  # for profilers
        measure(out, sys.argv[5:], False, [tuple(map(int, sys.argv[3].split("x")))], [int(sys.argv[4])], True)
    elif what == "tune":
        measure(out, sys.argv[3:], True, [SIZES[0], SIZES[1], SIZES[2], SIZES[3]], [1, 8, 16, 32])
    else:
        measure(out, sys.argv[3:], False, SIZES, ROWS)
