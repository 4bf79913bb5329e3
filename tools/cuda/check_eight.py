"""The writing kernels of 8-bit KV against torch, bit for bit: check_eight.py CUBINS."""
import glob, os, re, sys
import torch
from device import Kernel
from eight import layout, quantise


def rows_of(kind, heads, d, count):
    x = torch.randn(count, 2, heads, d, device="cuda")
    x *= torch.exp2(torch.randint(-20, 20, (count, 2, heads, 1), device="cuda").float())
    flat = x.view(-1, d)
    flat[0] = 0
    flat[1] = 1e-35
    flat[2, 0] = 3e38
    flat[3] = -7
    flat[4, d - 1] = float("nan")
    flat[5, 0] = float("inf")
    flat[6, 1] = float("-inf")
    most = 448.0 if kind == "fp8" else 127.0
    ties = torch.arange(d, device="cuda").float()
    flat[7] = ties + 0.5 if kind == "int8" else (8 + ties % 8 + 0.5) * torch.exp2((ties // 8) % 12 - 12)
    flat[7, 0] = most  # the scale is 1: the others stand exactly between two codes
    flat[8] = (ties % 17 - 8) * 2.0**-10
    flat[8, 0] = most
    return x


def main():
    torch.manual_seed(2)
    for path in sorted(glob.glob(os.path.join(sys.argv[1], "cache_*.cubin"))):
        d, c, kind = re.match(r"cache_d(\d+)_c(\d+)_g\d+_(fp8|int8)", os.path.basename(path)).groups()
        d, c, heads, chunks = int(d), int(c), 3, 5
        pad = -(-d // 16) * 16
        append, copy = Kernel(path, "append"), Kernel(path, "copy_slots")
        x = rows_of(kind, heads, d, chunks * c)
        at = torch.randperm(chunks * c, device="cuda")
        qkv = torch.cat([torch.full((chunks * c, 2 * d), float("nan"), device="cuda"), x.view(chunks * c, -1)], 1).contiguous()
        layers = 2
        kv = torch.full((layers, chunks, heads, 2, c // 8, 8 * pad + 32), 0xEE, dtype=torch.uint8, device="cuda")
        blocks = -(-2 * heads // 8)
        append.launch((blocks, chunks * c, 1), 256, kv[1], qkv, qkv.shape[1], heads, (at // c).int(), (at % c).int())
        torch.cuda.synchronize()
        ordered = torch.empty_like(x)
        ordered[at] = x
        codes, scales = quantise(ordered.view(chunks, c, 2, heads, d).permute(0, 3, 2, 1, 4).contiguous(), kind)
        want = layout(codes, scales, pad, kind)
        bad = torch.isnan(scales)
        got = kv[1]
        tail = slice(8 * pad, 8 * pad + 32)
        same = got[..., : 8 * pad] == want[..., : 8 * pad]
        assert same.all(), (path, (~same).sum().item())
        gs = got[..., tail].contiguous().view(torch.float32).view(-1)
        ws = want[..., tail].contiguous().view(torch.float32).view(-1)
        assert torch.equal(torch.isnan(gs), torch.isnan(ws)) and bad.sum() == 3
        assert torch.equal(gs[~torch.isnan(gs)], ws[~torch.isnan(ws)]), path
        assert (kv[0] == 0xEE).all()
        kv[0] = kv[1].flip(0)
        for slots in (1, 7, 8, c):
            before = kv.clone()
            copy.launch((4, layers, 1), 256, kv, (kv[0].numel(),), heads, 1, 3, slots)
            torch.cuda.synchronize()
            def by_slot(t):  # [layers, heads, 2, c, bytes]
                v = t[..., : 8 * pad].reshape(layers, heads, 2, c // 8, pad // 16, 8, 16).permute(0, 1, 2, 3, 5, 4, 6).reshape(layers, heads, 2, c, pad)
                return torch.cat([v, t[..., tail].reshape(layers, heads, 2, c, 4)], -1)
            expect = by_slot(before[:, 3])
            expect[..., :slots, :] = by_slot(before[:, 1])[..., :slots, :]
            assert torch.equal(by_slot(kv[:, 3]), expect), (path, slots)
            assert torch.equal(kv[:, [0, 1, 2, 4]], before[:, [0, 1, 2, 4]])
        print(os.path.basename(path), "append and copy ok", flush=True)


if __name__ == "__main__":
    main()
