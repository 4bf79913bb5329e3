"""What bounds each kernel, by Nsight Compute: bounds.py run RUN.sh OUT [NAME...] | table OUT.

run: the real program (RUN.sh as device-pack.sh makes it), two layers of large models, decode steps without graphs; one CSV for each of
WORKLOADS. table: a line for each kernel and launch size, from those CSVs; needs no GPU. KV and weights are cold in L2 where a workload
says so; rows of a step, which the kernel before has just written, are not.
"""
import collections, csv, glob, json, os, re, subprocess, sys

LLAMA = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 2,
    "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256, "max_position_embeddings": 131072, "rms_norm_eps": 1e-5,
    "rope_theta": 500000.0, "hidden_act": "silu", "tie_word_embeddings": False, "torch_dtype": "bfloat16", "bos_token_id": 1, "eos_token_id": 2,
}
FOLDERS = {
    "llama8": LLAMA,
    "llama32": LLAMA | {"num_key_value_heads": 32, "vocab_size": 32000, "intermediate_size": 11008},
    "qwen3": LLAMA | {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "head_dim": 128, "attention_bias": False},
    "qwen2": LLAMA | {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2"},
}
ROWS = "rms_norm|head_norm|rotary|narrow_queries|append|silu_gate|embed|gather|set_bias|convert|restore|draw"


def decode(model, rest):
    return f"bench decode --backend cuda --model {{out}}/{model} --sharing-only {rest}"


# name: (kernels, cold, launches to skip, launches to take, arguments of chunkllama)
WORKLOADS = {
    "rows": (ROWS, False, 0, 90, decode("llama8", "--precision fp16 --kv-type fp16 --batch 64 --shared 2048 --steps 3")),
    "qwen3": ("head_norm|rotary", False, 0, 12, decode("qwen3", "--precision fp16 --kv-type fp16 --batch 64 --shared 2048 --steps 2")),
    "qwen2": ("set_bias", False, 0, 12, decode("qwen2", "--precision fp16 --kv-type fp16 --batch 64 --shared 2048 --steps 2")),
    "append8": ("append|rotary", False, 0, 8, decode("llama8", "--precision fp16 --kv-type fp8 --batch 64 --shared 2048 --steps 2")),
    "exact": ("attention_exact|append", True, 0, 10, decode("llama8", "--precision fp32 --kv-type fp32 --batch 64 --shared 2048 --steps 3")),
    "prompt": ("attention", True, 2, 2, decode("llama8", "--precision fp16 --kv-type fp16 --batch 1 --shared 2048 --steps 1")),
    "shared8": ("attention", True, 124, 4, decode("llama8", "--precision fp16 --kv-type fp16 --batch 64 --shared 2048 --steps 64")),
    "long8": ("attention", True, 140, 4, decode("llama8", "--precision fp16 --kv-type fp16 --batch 128 --shared 16384 --steps 64")),
    "own8": ("attention", True, 2000, 4, decode("llama8", "--precision fp16 --kv-type fp16 --batch 64 --shared 64 --steps 1020")),
    "shared32": ("attention", True, 124, 4, decode("llama32", "--precision fp16 --kv-type fp16 --batch 32 --shared 2048 --steps 64")),
    "long8-fp8": ("attention", True, 140, 4, decode("llama8", "--precision fp16 --kv-type fp8 --batch 128 --shared 16384 --steps 64")),
    "own8-fp8": ("attention", True, 2000, 4, decode("llama8", "--precision fp16 --kv-type fp8 --batch 64 --shared 64 --steps 1020")),
    "q4k-8": ("product|pack|random_tiles|embed|dequantise", True, 0, 60, decode("llama8", "--precision fp16 --kv-type fp16 --batch 8 --shared 512 --steps 3 --weights quantised --weight-format q4_k")),
    "q4k-32": ("product", True, 0, 20, decode("llama8", "--precision fp16 --kv-type fp16 --batch 32 --shared 512 --steps 3 --weights quantised --weight-format q4_k")),
    "random": ("random_weight", True, 0, 6, decode("llama8", "--precision fp16 --kv-type fp16 --batch 1 --shared 64 --steps 1")),
    "load": ("dequantise|copy_slots|gather|convert|restore|narrow_queries", True, 0, 60,
             "generate --backend cuda --precision fp16 --weights wide --model {out}/mixed.gguf --raw --n 2 --max-tokens 4 --temperature 0.8 --top-p 0.9 --ignore-eos --context 256 --kv-memory 1g abcabcabc"),
    "pack": ("pack", True, 0, 60, "generate --backend cuda --precision fp16 --weights quantised --model {out}/mixed.gguf --raw --max-tokens 2 --ignore-eos --context 256 --kv-memory 1g abc"),
    "draw": ("draw", False, 0, 12, "generate --backend cuda --precision fp16 --weights wide --model {out}/mixed.gguf --raw --n 32 --max-tokens 8 --temperature 0.8 --top-p 0.9 --ignore-eos --context 256 --kv-memory 1g abcabcabc"),
}
SECTIONS = ("SpeedOfLight", "WarpStateStats", "SchedulerStats", "Occupancy", "LaunchStats", "ComputeWorkloadAnalysis")


def run(program, out, names):
    import gguf_model  # needs numpy, which the table does not

    os.makedirs(out, exist_ok=True)
    for name, config in FOLDERS.items():
        os.makedirs(f"{out}/{name}", exist_ok=True)
        json.dump(config, open(f"{out}/{name}/config.json", "w"))
    gguf_model.write(f"{out}/mixed.gguf", 4096, 14336, 32, 8, 128256)
    for name in names or WORKLOADS:
        kernels, cold, skip, count, arguments = WORKLOADS[name]
        command = ["ncu", "--clock-control", "none", "--target-processes", "all", "--csv", "--page", "raw", "--cache-control", "all" if cold else "none",
                   "-k", f"regex:^({kernels})", "--launch-skip", str(skip), "--launch-count", str(count), "--kill", "yes"]
        for section in SECTIONS:
            command += ["--section", section]
        options = os.environ.get("CHUNKLLAMA_JAVA_OPTS", "") + " -Dchunkllama.cuda.graphs=false"
        with open(f"{out}/{name}.csv", "w") as to, open(f"{out}/{name}.err", "w") as errors:
            try:
                status = subprocess.run(command + [program, "chunkllama", *arguments.format(out=out).split()], stdout=to, stderr=errors,
                                        env=os.environ | {"CHUNKLLAMA_JAVA_OPTS": options}, timeout=120).returncode
            except subprocess.TimeoutExpired:
                status = "out of time"
        print(name, status, len(read(f"{out}/{name}.csv")[1]), "launches", flush=True)


def read(path):
    """Units and launches in ncu's CSV, each a map from metrics to texts; what the program itself printed is skipped."""
    lines = open(path, errors="replace").read().splitlines()
    start = next((i for i, line in enumerate(lines) if line.startswith('"ID"')), None)
    if start is None:
        return {}, []
    units, *rows = csv.DictReader(line for line in lines[start:] if line.startswith('"'))
    return units, [row for row in rows if row["ID"].isdigit()]


def number(launch, metric):
    text = launch.get(metric, "")
    return float(text.replace(",", "")) if text else float("nan")


def size(text):
    """(x, 1, 1) is x."""
    x, y, z = text.strip("()").replace(" ", "").split(",")
    return x if y == z == "1" else f"({x},{y},{z})"


UNITS = {"ns": 1e-3, "nsecond": 1e-3, "us": 1, "usecond": 1, "ms": 1e3, "msecond": 1e3}


STALL = re.compile(r"smsp__average_warps_issue_stalled_(\w+)_per_issue_active\.ratio")


def stalls(launch):
    """(reason, share of the time between a warp's instructions), largest first."""
    found = {STALL.fullmatch(m)[1]: number(launch, m) for m in launch if STALL.fullmatch(m) and "not_issued" not in m}
    total = sum(v for v in found.values() if v == v)
    return sorted(((v / total, k) for k, v in found.items() if v == v and total > 0), reverse=True)


def table(out):
    print("| workload | kernel | grid x threads | µs | DRAM % | L2 % | L1 % | issue % | tensor % | warps | a warp waits for |\n|---|---|---|---:|---:|---:|---:|---:|---:|---:|---|")
    for path in sorted(glob.glob(f"{out}/*.csv")):
        groups = collections.defaultdict(list)
        units, launches = read(path)
        for launch in launches:
            name = launch["Kernel Name"].split("(")[0]
            groups[name, size(launch["Grid Size"]), size(launch["Block Size"])].append(launch)
        for (name, grid, block), some in groups.items():
            micros = UNITS[units["gpu__time_duration.sum"]]
            middle = sorted(some, key=lambda x: number(x, "gpu__time_duration.sum"))[len(some) // 2]
            cells = [
                f"{number(middle, 'gpu__time_duration.sum') * micros:.1f}",
                *(f"{number(middle, m):.0f}" for m in (
                    "gpu__dram_throughput.avg.pct_of_peak_sustained_elapsed", "lts__throughput.avg.pct_of_peak_sustained_elapsed",
                    "l1tex__throughput.avg.pct_of_peak_sustained_active", "sm__inst_issued.avg.pct_of_peak_sustained_elapsed",
                    "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_elapsed")),
                f"{number(middle, 'sm__warps_active.avg.per_cycle_active'):.1f}",
                ", ".join(f"{k} {v:.0%}" for v, k in stalls(middle)[:3]),
            ]
            print(f"| {os.path.basename(path)[:-4]} | `{name}` | {grid} x {block} ({len(some)}) | " + " | ".join(cells) + " |")


def main():
    if len(sys.argv) > 3 and sys.argv[1] == "run":
        run(sys.argv[2], os.path.abspath(sys.argv[3]), sys.argv[4:])
    elif len(sys.argv) == 3 and sys.argv[1] == "table":
        table(sys.argv[2])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
