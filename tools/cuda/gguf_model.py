"""A small Llama in GGUF with a weight of each format, its blocks random: gguf_model.py OUT HIDDEN MLP HEADS KV_HEADS VOCABULARY."""
import struct, sys

import numpy

# number in the file, values and bytes of a block, where in it fp16 scales lie
FORMATS = {
    "F32": (0, 1, 4, ()), "F16": (1, 1, 2, ()), "Q4_0": (2, 32, 18, (0,)), "Q4_1": (3, 32, 20, (0, 2)), "Q8_0": (8, 32, 34, (0,)),
    "Q4_K": (12, 256, 144, (0, 2)), "Q5_K": (13, 256, 176, (0, 2)), "Q6_K": (14, 256, 210, (208,)), "BF16": (30, 1, 2, ()),
}
LAYERS = 2


def data(random, kind, columns, rows):
    _, values, size, scales = FORMATS[kind]
    if values == 1:
        x = (random.standard_normal(columns * rows, dtype=numpy.float32) * 0.02).astype(numpy.float32)
        return x.astype(numpy.float16).tobytes() if kind == "F16" else (x.view(numpy.uint32) >> 16).astype(numpy.uint16).tobytes() if kind == "BF16" else x.tobytes()
    blocks = random.integers(0, 256, (columns * rows // values, size), dtype=numpy.uint8)
    for at in scales:
        blocks[:, at:at + 2] = numpy.frombuffer(numpy.float16(1e-4).tobytes(), numpy.uint8)
    return blocks.tobytes()


def text(s):
    return struct.pack("<Q", len(s.encode())) + s.encode()


def value(v):
    if isinstance(v, str):
        return struct.pack("<I", 8) + text(v)
    if isinstance(v, float):
        return struct.pack("<If", 6, v)
    if isinstance(v, int):
        return struct.pack("<II", 4, v)
    kind, body = (8, b"".join(map(text, v))) if isinstance(v[0], str) else (6, struct.pack(f"<{len(v)}f", *v)) if isinstance(v[0], float) else (5, struct.pack(f"<{len(v)}i", *v))
    return struct.pack("<IIQ", 9, kind, len(v)) + body


def write(path, hidden, mlp, heads, kv_heads, vocabulary):
    random = numpy.random.default_rng()
    kv = hidden // heads * kv_heads
    tensors = [("token_embd.weight", "Q4_K", hidden, vocabulary), ("output_norm.weight", "F32", hidden, 1)]
    for i in range(LAYERS):
        kinds = ("Q8_0", "Q4_0", "Q4_1", "F16") if i == 0 else ("BF16", "F32", "F32", "Q4_K")
        tensors += [(f"blk.{i}.{name}.weight", kind, columns, rows) for name, kind, columns, rows in (
            ("attn_norm", "F32", hidden, 1), ("ffn_norm", "F32", hidden, 1), ("attn_q", kinds[0], hidden, hidden), ("attn_k", kinds[1], hidden, kv),
            ("attn_v", kinds[2], hidden, kv), ("attn_output", kinds[3], hidden, hidden), ("ffn_gate", "Q5_K", hidden, mlp),
            ("ffn_up", "Q6_K", hidden, mlp), ("ffn_down", "Q5_K" if i else "Q4_K", mlp, hidden))]
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)] + [f"t{i}" for i in range(vocabulary - 259)]
    metadata = {
        "general.architecture": "llama", "llama.block_count": LAYERS, "llama.context_length": 4096, "llama.embedding_length": hidden,
        "llama.feed_forward_length": mlp, "llama.attention.head_count": heads, "llama.attention.head_count_kv": kv_heads,
        "llama.attention.layer_norm_rms_epsilon": 1e-5, "llama.rope.freq_base": 10000.0, "llama.vocab_size": vocabulary, "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens, "tokenizer.ggml.scores": [-float(i) for i in range(vocabulary)],
        "tokenizer.ggml.token_type": [2, 3, 3] + [6] * 256 + [1] * (vocabulary - 259), "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2,
    }
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(metadata)) + b"".join(text(k) + value(v) for k, v in metadata.items())
    offset = 0
    sizes = []
    for name, kind, columns, rows in tensors:
        number, values, size, _ = FORMATS[kind]
        shape = (columns,) if rows == 1 else (columns, rows)
        head += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, number, offset)
        sizes.append(columns * rows // values * size)
        offset += (sizes[-1] + 31) // 32 * 32
    with open(path, "wb") as out:
        out.write(head + bytes(-len(head) % 32))
        for (name, kind, columns, rows), size in zip(tensors, sizes):
            out.write(data(random, kind, columns, rows) + bytes(-size % 32))


if __name__ == "__main__":
    if len(sys.argv) != 7:
        sys.exit(__doc__)
    write(sys.argv[1], *map(int, sys.argv[2:]))
