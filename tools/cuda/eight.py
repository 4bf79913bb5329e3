"""8-bit keys and values as the kernels store them (backend-cuda/src/main/cuda/eight.cuh), in torch."""
import torch

MOST = {"fp8": 448.0, "int8": 127.0}


def quantise(x, kind):
    """[..., d] fp32 -> codes [..., d] uint8, scales [...] fp32."""
    largest = x.abs().amax(-1)
    scale = torch.where(largest < 2.0**-100, torch.zeros_like(largest), largest / torch.full_like(largest, MOST[kind]))  # by a number torch multiplies
    scale = torch.where(torch.isfinite(x).all(-1), scale, torch.full_like(scale, float("nan")))
    y = torch.where(scale[..., None] > 0, x / scale[..., None], torch.zeros_like(x))
    if kind == "fp8":
        codes = y.clamp(-448, 448).to(torch.float8_e4m3fn).view(torch.uint8)
    else:
        codes = (y.round().clamp(-127, 127) + 128).to(torch.uint8)
    return codes, scale


def dequantise(codes, scale, kind):
    y = codes.view(torch.float8_e4m3fn).float() if kind == "fp8" else codes.float() - 128
    return y * scale[..., None]


def layout(codes, scale, pad, kind):
    """[chunks, heads, 2, slots, d] -> bytes in the kernel's order: bands of 8 slots."""
    n, h, _, c, d = codes.shape
    out = torch.full((n, h, 2, c, pad), 0 if kind == "fp8" else 128, dtype=torch.uint8, device=codes.device)
    out[..., :d] = codes
    values = out.view(n, h, 2, c // 8, 8, pad // 16, 16).permute(0, 1, 2, 3, 5, 4, 6).reshape(n, h, 2, c // 8, 8 * pad)
    scales = scale.contiguous().view(n, h, 2, c // 8, 8).contiguous().view(torch.uint8).view(n, h, 2, c // 8, 32)
    return torch.cat([values, scales], -1).contiguous()
