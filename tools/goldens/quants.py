"""Golden blocks of every GGML weight type, as Python's gguf package dequantises them.

    pip install gguf numpy
    python tools/goldens/quants.py

Writes engine/src/test/resources/org/chunkllama/spi/quants/TYPE.bin: 3 blocks (96 values of plain types) of random
bytes with sane scales, followed by their values as little-endian float32.
"""
import pathlib

import gguf
import numpy as np

TYPES = "F32 F16 BF16 Q8_0 Q4_0 Q4_1 Q4_K Q5_K Q6_K".split()
HALVES = {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}  # where scales lie
FOLDER = pathlib.Path(__file__).parents[2] / "engine/src/test/resources/org/chunkllama/spi/quants"

random = np.random.default_rng(20240215)
FOLDER.mkdir(parents=True, exist_ok=True)
for name in TYPES:
    type_ = gguf.GGMLQuantizationType[name]
    if name == "F32":
        data = random.standard_normal(96).astype("<f4").view(np.uint8)
    elif name == "F16":
        data = (random.standard_normal(96) * 1e-3).astype("<f2").view(np.uint8)
        data[:8] = np.array([0x0001, 0x83FF, 0x7BFF, 0x8000], "<u2").view(np.uint8)  # subnormals, largest, -0
    elif name == "BF16":
        data = (random.standard_normal(96).astype("<f4").view("<u4") >> 16).astype("<u2").view(np.uint8)
    else:
        size = gguf.GGML_QUANT_SIZES[type_][1]
        blocks = random.integers(0, 256, (3, size), np.uint8)
        for at in HALVES[name]:
            scale = (random.standard_normal((3, 1)) * 0.01).astype("<f2")
            blocks[:, at : at + 2] = scale.view(np.uint8)
        data = blocks.reshape(-1)
    values = gguf.quants.dequantize(data.view("<f4") if name == "F32" else data.view("<f2") if name == "F16" else data, type_)
    (FOLDER / f"{name}.bin").write_bytes(data.tobytes() + values.astype("<f4").tobytes())
    print(name, data.size, "bytes", values.size, "values")
