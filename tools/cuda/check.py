"""Compares the attention kernel with float64 over random forests: check.py CUBINS [trials] [small]."""
import glob, math, os, random, re, sys
import torch
import eight
from device import Attention, Kernel
from planner import Costs, plan
from check_planner import forest

TOLERANCE = {"fp16": 2e-3, "bf16": 1.2e-2, "fp8": 2e-3, "int8": 2e-3}


def layout(kv, pad):
    """[chunks, heads, 2, slots, d] -> the kernel's order."""
    n, h, _, c, d = kv.shape
    out = torch.zeros(n, h, 2, c, pad, dtype=kv.dtype, device=kv.device)
    out[..., :d] = kv
    return out.view(n, h, 2, c // 8, 8, pad // 8, 8).permute(0, 1, 2, 3, 5, 4, 6).contiguous()


def reference(sequences, kv, q, group, scale):
    out = torch.zeros_like(q, dtype=torch.float64)
    row = 0
    for s in sequences:
        n = s.position + s.rows
        c = kv.shape[3]
        part = kv[torch.tensor(s.chunks, device="cuda")].double()  # chunks, heads, 2, c, d
        k = part[:, :, 0].permute(1, 0, 2, 3).flatten(1, 2)[:, :n].repeat_interleave(group, 0)
        v = part[:, :, 1].permute(1, 0, 2, 3).flatten(1, 2)[:, :n].repeat_interleave(group, 0)
        x = q[row : row + s.rows].double().transpose(0, 1)  # heads, rows, d
        score = x @ k.transpose(1, 2) * scale
        position = s.position + torch.arange(s.rows, device="cuda")
        score.masked_fill_(torch.arange(n, device="cuda")[None, None] > position[None, :, None], -math.inf)
        out[row : row + s.rows] = (score.softmax(-1) @ v).transpose(0, 1)
        row += s.rows
    return out


def trial(rng, kernel, d, c, g, kind, io, small):
    dtype = torch.bfloat16 if kind == "bf16" else torch.float16
    wide = torch.float32 if kind in eight.MOST else dtype
    hkv = rng.choice([1, 2, 3, 8])
    sequences, chunks = forest(rng, c, rng.choice([40, 200] if small else [40, 300, 900]), rng.choice([2, 4, 6]), rng.random() < 0.5)
    if len(sequences) > 200:
        return None
    order = list(range(chunks + 3))
    rng.shuffle(order)
    for s in sequences:
        s.chunks = [order[i] for i in s.chunks]
    kv = torch.full((chunks + 3, hkv, 2, c, d), float("nan"), dtype=wide, device="cuda")
    spread = rng.choice([1.0, 3.0])
    for s in sequences:
        n = s.position + s.rows
        for i, id in enumerate(s.chunks):
            filled = min(c, n - i * c)
            if torch.isnan(kv[id, 0, 0, filled - 1, 0]):
                kv[id, :, :, :filled] = (spread * torch.randn(hkv, 2, filled, d, device="cuda")).to(wide)
                if kind in eight.MOST and rng.random() < 0.3:  # heads of very different sizes
                    kv[id, :, 1, :filled] *= torch.exp2(torch.randint(-12, 3, (hkv, filled, 1), device="cuda").float())
    rows = sum(s.rows for s in sequences)
    q = torch.randn(rows, hkv * g, d, device="cuda")
    q = q.to(dtype) if io == "half" else q.to(dtype).float()
    lanes = rng.choice([1, 3, 16, 132 // hkv])
    p = plan(sequences, c, g, kernel.row_cap, lanes, rng.random() < 0.8, Costs(record=rng.choice([0, 24])))
    a = Attention(kernel, p, hkv * g, hkv, d, c)
    pad = -(-d // 16) * 16
    exact = kv
    if kind in eight.MOST:
        codes, scales = eight.quantise(kv, kind)
        kv = eight.dequantise(codes, scales, kind)
        codes[torch.isnan(kv)] = 0xFF if kind == "fp8" else rng.randrange(256)  # what nobody wrote: NaN, any number
        stored = eight.layout(codes, scales, pad, kind)
    else:
        stored = layout(kv, pad)
    out = torch.full((rows, hkv * g * d), float("nan"), device="cuda", dtype=q.dtype)
    for _ in range(2):  # the second launch finds the flags as the first left them
        out.fill_(float("nan"))
        a.launch(stored, q.view(rows, -1), out, 1 / math.sqrt(d))
        torch.cuda.synchronize()
        assert a.ready[1] == 0
    want = reference(sequences, kv, q, g, 1 / math.sqrt(d))
    got = out.view(rows, hkv * g, d).double()
    error = ((got - want).norm() / want.norm()).item()
    if kind in eight.MOST:
        want = reference(sequences, exact, q, g, 1 / math.sqrt(d))
    return error, rows, len(sequences), p.segments, ((got - want).norm() / want.norm()).item()


def main():
    trials = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    small = len(sys.argv) > 3
    bad = 0
    for path in sorted(glob.glob(os.path.join(sys.argv[1], "attention_*.cubin"))):
        d, c, g, kind, io = re.match(r"attention_d(\d+)_c(\d+)_g(\d+)_(fp16|bf16|fp8|int8)_(f32|half)", os.path.basename(path)).groups()
        kernel = Kernel(path)
        rng = random.Random(int(d) * 1000 + int(c) * 10 + int(g))
        torch.manual_seed(1)
        worst, most, storing = 0.0, 0, []
        for t in range(trials):
            result = trial(rng, kernel, int(d), int(c), int(g), kind, io, small)
            if result is None:
                continue
            error, rows, sequences, segments, lost = result
            storing.append(lost)
            most = max(most, rows)
            worst = max(worst, error) if error == error else math.inf
            if not error < TOLERANCE[kind]:
                bad += 1
                print("  WRONG", os.path.basename(path), "trial", t, "error", error, "rows", rows, "sequences", sequences, "segments", segments)
        print(f"{os.path.basename(path):44s} worst {worst:.2e} rows up to {most}" + (f", against unquantised KV {sorted(storing)[len(storing) // 2]:.2e} (median)" if kind in eight.MOST else ""), flush=True)
    print("check", "FAILED" if bad else "ok")
    sys.exit(bad != 0)


if __name__ == "__main__":
    main()
