"""Goldens of tokenizers: ids of hard texts by Hugging Face's transformers (SmolLM2) and by sentencepiece (Llama-2).

    pip install transformers gguf torch sentencepiece
    python tools/goldens/token_ids.py SmolLM2-135M-Instruct.Q4_1.gguf llama2/tokenizer.model

Writes smollm2.json and llama2-spm.json under engine/src/test/resources/org/chunkllama/text/tokenizers: objects of text and
ids; for SmolLM2 also special, the ids where control tokens in the text are read as such. No BOS or EOS is added.
"""
import json
import pathlib
import random
import sys

import sentencepiece
from tokenizers import pre_tokenizers
from transformers import AutoTokenizer

FOLDER = pathlib.Path(__file__).parents[2] / "engine/src/test/resources/org/chunkllama/text/tokenizers"
TEXTS = [
    "", " ", "  ", "\n", "\n\n \t", "Hello world", " Hello", "Hello  world   !", "I'm we'll they'RE don't", "1234567 3.14 ²½ ٣ 1,000", "naïve café Ünïcode", "日本語のテキスト 中文 한국어",
    "Привет, мир! Γειά", "مرحبا שלום", "हिन्दी ไทย", "😀👨‍👩‍👧‍👦🇩🇪 x", "a\u0301 e\u0301 \u00a0\u3000\u200b\ufeff", "def f(x):\n    return x ** 2  # comment\n\n\nclass A:\n\tpass\n", '{"a": [1, 2.5, null], "b": "\\n"}',
    "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n", "<|endoftext|>a<|im_end|> b", "x<|im_end", "<s>[INST] hi [/INST]</s>", "<0x0A><unk>", "https://example.org/a?b=c&d=%20e", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", " " * 37 + "x", "\t" * 9 + "\n" * 5, "-" * 50, "...,,,;;;", "\x00\x01\x7f", "▁ ▁▁x",
    "SmolLM2 is a family of compact language models.", "E=mc² ≈ 9×10¹⁶ J/kg ∀x∈ℝ", "“quotes” — dash … ‘x’",
]
ALPHABET = ["a", "b", "e", " ", " ", "  ", "\n", "th", "er", "1", "0", ".", "-", "é", "日", "😀", "'s", "ing", "aa", "▁", "<", ">", "|", "\t", "A", "ß", "\u0301"]


def texts():
    """The fixed ones, and random runs of what merges well: ties between merges are where encoders differ."""
    chance = random.Random(20240215)
    yield from TEXTS
    for _ in range(150):
        few = chance.sample(ALPHABET, chance.randint(1, 6))
        yield "".join(chance.choice(few) for _ in range(chance.randint(1, 40)))


def write(name, rows):
    FOLDER.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (FOLDER / name).write_text("[\n" + lines + "\n]\n")
    print(name, len(rows), "texts")


def main(gguf, model):
    path = pathlib.Path(gguf)
    smol = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    # transformers overlooks tokenizer.ggml.pre = smollm, by which SmolLM2's own tokenizer.json parts digits before all else
    smol.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]
    )
    special = lambda text, plain: smol.encode(text, add_special_tokens=False, split_special_tokens=plain)  # noqa: E731
    write("smollm2.json", [{"text": t, "ids": special(t, True), "special": special(t, False)} for t in texts()])
    spm = sentencepiece.SentencePieceProcessor(model_file=model)
    write("llama2-spm.json", [{"text": t, "ids": spm.encode(t)} for t in texts()])


if __name__ == "__main__":
    main(*sys.argv[1:])
