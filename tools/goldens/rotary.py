"""Rotary frequencies of transformers, for RotaryTablesTest.   python rotary.py > engine/src/test/resources/goldens/rotary.json"""
import json

import torch
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

CASES = {
    "none": (64, 10_000.0, {"rope_type": "default"}),
    "none_theta_100000": (64, 100_000.0, {"rope_type": "default"}),
    "linear": (80, 10_000.0, {"rope_type": "linear", "factor": 2.5}),
    "llama3": (
        128,
        500_000.0,
        {
            "rope_type": "llama3",
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192,
        },
    ),
    "yarn": (
        128,
        1_000_000.0,
        {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768},
    ),
    "yarn_betas": (
        64,
        10_000.0,
        {
            "rope_type": "yarn",
            "factor": 16.0,
            "original_max_position_embeddings": 2048,
            "beta_fast": 24.0,
            "beta_slow": 2.0,
            "attention_factor": 1.25,
        },
    ),
}
POSITIONS = [0, 1, 2, 17, 255, 1499, 2047]

out = {"positions": POSITIONS, "cases": []}
for name, (dim, theta, rope) in CASES.items():
    config = LlamaConfig(
        hidden_size=2 * dim,
        num_attention_heads=2,
        head_dim=dim,
        max_position_embeddings=131072,
        rope_parameters={"rope_theta": theta, **rope},
    )
    rotary = LlamaRotaryEmbedding(config)
    cos, sin = rotary(torch.zeros(1), torch.tensor([POSITIONS]))
    out["cases"].append(
        {
            "name": name,
            "dim": dim,
            "theta": theta,
            "rope": rope,
            "attention_factor": float(rotary.attention_scaling),
            "frequencies": [float(f"{v:.9g}") for v in rotary.inv_freq.tolist()],
            "cos": [[float(f"{v:.7g}") for v in row[: dim // 2]] for row in cos[0].tolist()],
            "sin": [[float(f"{v:.7g}") for v in row[: dim // 2]] for row in sin[0].tolist()],
        }
    )
print(json.dumps(out, separators=(",", ":")))
