"""What transformers computes in fp32 from a GGUF of SmolLM2, for SmolLm2ParityTest.

    python smollm2.py SmolLM2-135M-Instruct.Q4_1.gguf > cli/src/test/resources/goldens/smollm2.json
"""
import json
import os
import sys

import torch
from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence
from transformers import AutoModelForCausalLM, AutoTokenizer

NEW_TOKENS = 80
STRIDE = 101  # every so many-th logit is kept
HERE = os.path.dirname(os.path.abspath(__file__))

with open(os.path.join(HERE, "handbook.txt")) as file:
    HANDBOOK = file.read()

PROMPTS = [
    {"messages": [{"role": "user", "content": "Why is the sky blue?"}]},
    {"text": "A prefix tree is a data structure that"},
    {
        "messages": [
            {"role": "system", "content": "You are a patient teacher of geography who answers in short sentences."},
            {"role": "user", "content": "Name three rivers in France."},
            {"role": "assistant", "content": "The Seine, the Loire and the Rhône."},
            {"role": "user", "content": "Which of them is the longest, and where does it end? Write “km” after the length."},
        ]
    },
    {"text": HANDBOOK[: HANDBOOK.index("5. The boat.")] + "5. The boat."},
    {
        "messages": [
            {"role": "system", "content": "Answer from the handbook.\n\n" + HANDBOOK},
            {"role": "user", "content": "What should I do when the lens stops turning, and what should I tell the visitors about the ghost?"},
        ]
    },
]


def number(value):
    return float(f"{value:.7g}")


def main(path):
    folder, name = os.path.split(os.path.abspath(path))
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    # Reading a GGUF, transformers forgets that SmolLM2 splits digits first; its own tokenizer.json has:
    tokenizer.backend_tokenizer.pre_tokenizer = Sequence(
        [Digits(individual_digits=True), ByteLevel(add_prefix_space=False, use_regex=True)]
    )
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32).eval()
    goldens = []
    for prompt in PROMPTS:
        if "text" in prompt:
            ids = tokenizer(prompt["text"], add_special_tokens=True)["input_ids"]
        else:
            text = tokenizer.apply_chat_template(prompt["messages"], tokenize=False, add_generation_prompt=True)
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        with torch.no_grad():
            prompt_ids = torch.tensor([ids])
            out = model.generate(
                prompt_ids,
                attention_mask=torch.ones_like(prompt_ids),
                max_new_tokens=NEW_TOKENS,
                do_sample=False,
                num_beams=1,
                repetition_penalty=1.0,
                eos_token_id=None,  # go on past the end: as many tokens to compare everywhere
                pad_token_id=0,
            )[0].tolist()
            logits = model(torch.tensor([out])).logits[0]
        gaps = []
        for i in range(len(ids) - 1, len(out) - 1):
            best = torch.topk(logits[i], 2)
            assert best.indices[0].item() == out[i + 1]
            gaps.append((best.values[0] - best.values[1]).item())
        rows = {}
        for position in (len(ids) // 2, len(ids) - 1, len(ids) + NEW_TOKENS // 2):
            row = logits[position]
            rows[str(position)] = {
                "max": number(row.abs().max().item()),
                "strided": [number(v) for v in row[::STRIDE].tolist()],
                "top": [[i, number(row[i].item())] for i in torch.topk(row, 16).indices.tolist()],
            }
        print(f"{len(ids)} prompt tokens, least gap {min(gaps):.4f}: {tokenizer.decode(out[len(ids):])!r}", file=sys.stderr)
        goldens.append({**prompt, "ids": ids, "greedy": out[len(ids) :], "least_gap": number(min(gaps)), "stride": STRIDE, "logits": rows})
    json.dump({"made_with": f"transformers from {name}, fp32", "prompts": goldens}, sys.stdout, separators=(",", ":"))


main(sys.argv[1])
