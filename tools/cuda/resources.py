"""What each kernel takes, as ptxas reports it, in a table: resources.py ARCH. Shapes of Llama-3.1-8B, products in fp16. Needs no GPU."""
import re, sys
import compile

SHAPE = {"HEAD_DIM": 128, "CHUNK": 64}
PRODUCT = {"PRODUCT_TYPE": 1}
KERNELS = [  # source, constants, said of them
    ("attention.cu", SHAPE | {"GROUP": 4, "KV_BF16": 0, "IO_F32": 0}, "16-bit KV"),
    ("attention.cu", SHAPE | {"GROUP": 4, "KV_BF16": 0, "IO_F32": 0, "HEAD_DIM": 256}, "16-bit KV, head dim 256"),
    ("attention.cu", SHAPE | {"GROUP": 4, "KV_BF16": 0, "IO_F32": 0, "KV_EIGHT": 1}, "e4m3"),
    ("attention_exact.cu", SHAPE | {"GROUP": 4, "KV_TYPE": 0}, "fp32 KV"),
    ("kv_cache.cu", SHAPE | {"KV_TYPE": 1}, "16-bit KV"),
    ("kv_cache_eight.cu", SHAPE | {"KV_EIGHT": 1}, "e4m3"),
    ("norm.cu", PRODUCT, ""),
    ("rotary.cu", {}, ""),
    ("rows.cu", PRODUCT, ""),
    ("silu_gate.cu", PRODUCT, ""),
    ("dequantise.cu", PRODUCT, ""),
    ("quantised.cu", PRODUCT | {"FORMAT": "Q4_K", "ROWS8": 1, "FEW_OUTPUTS": 0}, "Q4_K, up to 8 rows"),
    ("quantised.cu", PRODUCT | {"FORMAT": "Q4_K", "ROWS8": 4, "FEW_OUTPUTS": 0}, "Q4_K, up to 32 rows"),
    ("quantised_rows.cu", PRODUCT | {"FORMAT": "Q4_K"}, "Q4_K"),
    ("draw.cu", {}, ""),
    ("random.cu", PRODUCT, ""),
]


def functions(log):
    """(name, registers, shared bytes, stack, spilled bytes) of each entry function in ptxas' report."""
    for part in log.split("Compiling entry function ")[1:]:
        name = re.match(r"'(\w+)'", part).group(1)
        numbers = lambda pattern: int((re.search(pattern, part) or [0, 0])[1])
        yield name, numbers(r"Used (\d+) registers"), numbers(r"(\d+) bytes smem"), numbers(r"(\d+) bytes stack"), numbers(r"(\d+) bytes spill stores")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    arch = sys.argv[1]
    lib = compile.nvrtc()
    print("| kernel | | registers | shared memory (static) | stack | spilled |\n|---|---|---:|---:|---:|---:|")
    for source, constants, said in KERNELS:
        _, log = compile.compile(lib, [f"-D{k}={v}" for k, v in constants.items()], arch, source)
        for name, registers, shared, stack, spilled in sorted(functions(log)):
            print(f"| `{name}` | {said} | {registers} | {shared} | {stack} | {spilled} |")


if __name__ == "__main__":
    main()
