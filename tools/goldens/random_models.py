"""Small random Hugging Face models with what transformers computes from them, for TransformersParityTest.

    python random_models.py engine/src/test/resources/goldens/hf

Writes NAME/{config.json,model.safetensors,tokenizer.json} and NAME.json: logits, greedy ids and beams in fp32.
"""
import json
import os
import sys

import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM
from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

VOCABULARY = 272
SHAPE = dict(
    vocab_size=VOCABULARY,
    hidden_size=48,
    intermediate_size=80,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=512,
    bos_token_id=256,
    eos_token_id=257,
    rms_norm_eps=1e-5,
)
PLAIN = {"rope_type": "default", "rope_theta": 10000.0}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 128,
}
YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 128}
LINEAR = {"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.0}

# name, config, model, tied, rope, bf16 on disk, more
MODELS = [
    ("llama", LlamaConfig, LlamaForCausalLM, False, PLAIN, False, {}),
    ("llama3", LlamaConfig, LlamaForCausalLM, True, LLAMA3, True, {"num_key_value_heads": 4}),
    ("linear", LlamaConfig, LlamaForCausalLM, True, LINEAR, True, {"num_key_value_heads": 1}),
    ("mistral", MistralConfig, MistralForCausalLM, False, PLAIN, True, {"head_dim": 16, "sliding_window": None}),
    ("qwen2", Qwen2Config, Qwen2ForCausalLM, True, {**PLAIN, "rope_theta": 1000000.0}, True, {}),
    ("qwen2_yarn", Qwen2Config, Qwen2ForCausalLM, False, YARN, True, {}),
    ("qwen3", Qwen3Config, Qwen3ForCausalLM, True, {**PLAIN, "rope_theta": 1000000.0}, False, {"head_dim": 24}),
]

BEAMS = [
    dict(num_beams=4, length_penalty=1.0, early_stopping=False, num_return_sequences=4),
    dict(num_beams=3, length_penalty=0.0, early_stopping=True, num_return_sequences=2),
    dict(num_beams=5, length_penalty=2.0, early_stopping="never", num_return_sequences=3),
    dict(num_beams=2, length_penalty=-0.5, early_stopping="never", num_return_sequences=1),
]


def tokenizer_json():
    """A byte-level tokenizer without merges: ids are bytes, then <s>, </s>."""
    printable = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    letters, extra = {}, 0
    for byte in range(256):
        letters[byte] = chr(byte) if byte in printable else chr(256 + extra)
        extra += byte not in printable
    special = [
        {"id": i, "content": c, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        for i, c in ((256, "<s>"), (257, "</s>"))
    ]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": special,
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {letters[b]: b for b in range(256)},
            "merges": [],
        },
    }


def randomise(model, seed):
    generator = torch.Generator().manual_seed(seed)
    for name, weight in sorted(model.named_parameters()):
        noise = torch.randn(weight.shape, generator=generator)
        if "norm" in name:
            weight.data = 1 + 0.2 * noise
        elif weight.dim() == 1:
            weight.data = 0.3 * noise
        elif "embed" in name:
            weight.data = 0.25 * noise  # more would make a tied output echo its input
        else:
            weight.data = 1.6 * noise / weight.shape[1] ** 0.5


def numbers(tensor):
    return [float(f"{v:.8g}") for v in tensor.tolist()]


def main(folder):
    for seed, (name, config_type, model_type, tied, rope, half, more) in enumerate(MODELS):
        config = config_type(**{**SHAPE, **more}, tie_word_embeddings=tied, rope_parameters=dict(rope))
        model = model_type(config).eval()
        randomise(model, seed)
        if half:  # weights only: model.to(bfloat16) would round the rotary frequencies too
            for weight in model.parameters():
                weight.data = weight.data.to(torch.bfloat16).float()
            config.dtype = torch.bfloat16
        target = os.path.join(folder, name)
        os.makedirs(target, exist_ok=True)
        stored = torch.bfloat16 if half else torch.float32
        weights = {k: v.to(stored).contiguous() for k, v in model.state_dict().items() if not (tied and k == "lm_head.weight")}
        save_file(weights, os.path.join(target, "model.safetensors"), metadata={"format": "pt"})
        config.architectures = [model_type.__name__]
        config.to_json_file(os.path.join(target, "config.json"), use_diff=False)
        with open(os.path.join(target, "tokenizer.json"), "w") as file:
            json.dump(tokenizer_json(), file, separators=(",", ":"), ensure_ascii=True)

        prompt = torch.randint(0, 256, (1, 150), generator=torch.Generator().manual_seed(100 + seed))
        with torch.no_grad():
            logits = model(prompt).logits[0]
            greedy = model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),  # else ids equal to the pad id are masked
                max_new_tokens=48,
                do_sample=False,
                eos_token_id=None,
                pad_token_id=0,
            )
        golden = {
            "prompt": prompt[0].tolist(),
            "logits": {str(i): numbers(logits[i]) for i in (0, 63, 149)},
            "greedy": greedy[0, 150:].tolist(),
            "beams": [],
        }
        ends = list(range(3, VOCABULARY, 13))  # many, so that beams end at different lengths
        for settings in BEAMS:
            with torch.no_grad():
                out = model.generate(
                    prompt[:, :40],
                    attention_mask=torch.ones_like(prompt[:, :40]),
                    max_new_tokens=24,
                    do_sample=False,
                    eos_token_id=ends,
                    pad_token_id=300,
                    output_scores=True,
                    return_dict_in_generate=True,
                    **settings,
                )
            sequences = [[t for t in row[40:].tolist() if t != 300] for row in out.sequences]
            golden["beams"].append(
                {**settings, "ends": ends, "sequences": sequences, "scores": numbers(out.sequences_scores)}
            )
        with open(os.path.join(folder, name + ".json"), "w") as file:
            json.dump(golden, file, separators=(",", ":"))


main(sys.argv[1])
