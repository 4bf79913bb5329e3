"""Compiles the attention kernel by NVRTC into cubins: compile.py OUT ARCH HEAD_DIM,CHUNK,GROUP,TYPE,F32[,-DA=1...]... Prints ptxas' resource report.

Needs the PyPI package nvidia-cuda-nvrtc 13.0 (for the library alone).
"""
import ctypes, glob, os, re, site, sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = os.environ.get("CUDA_SOURCES", os.path.join(HERE, "../../backend-cuda/src/main/cuda"))


def nvrtc():
    for root in site.getsitepackages() + sys.path:
        for path in sorted(glob.glob(os.path.join(root, "nvidia/*/lib/libnvrtc.so.1[0-9]"))):
            for builtins in glob.glob(os.path.join(os.path.dirname(path), "libnvrtc-builtins.so.13.*")):
                ctypes.CDLL(builtins, ctypes.RTLD_GLOBAL)
            return ctypes.CDLL(path)
    return ctypes.CDLL("libnvrtc.so.13")


def compile(lib, options, arch, source="attention.cu"):
    text = open(source if os.path.isabs(source) else os.path.join(SOURCES, source), "rb").read()
    names = sorted(os.path.basename(p) for p in glob.glob(os.path.join(SOURCES, "*.cuh")))
    headers = [open(os.path.join(SOURCES, n), "rb").read() for n in names]
    program = ctypes.c_void_p()
    chars = lambda xs: (ctypes.c_char_p * len(xs))(*xs)
    lib.nvrtcCreateProgram(ctypes.byref(program), text, source.encode(), len(names), chars(headers), chars([n.encode() for n in names]))
    options = ["-std=c++17", "-default-device", "--gpu-architecture=" + arch, *(["--ptxas-options=-v"] if arch.startswith("sm_") else [])] + options
    status = lib.nvrtcCompileProgram(program, len(options), chars([o.encode() for o in options]))
    size = ctypes.c_size_t()
    lib.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    lib.nvrtcGetProgramLog(program, log)
    if status != 0:
        sys.exit(log.value.decode())
    what = "PTX" if arch.startswith("compute_") else "CUBIN"  # PTX: older code for the driver to translate
    getattr(lib, f"nvrtcGet{what}Size")(program, ctypes.byref(size))
    cubin = ctypes.create_string_buffer(size.value)
    getattr(lib, f"nvrtcGet{what}")(program, cubin)
    return cubin.raw, log.value.decode()


EIGHT = {"fp8": 1, "int8": 2}


def name_of(d, c, g, kind, f32):
    return f"attention_d{d}_c{c}_g{g}_{kind}_{'f32' if f32 else 'half'}"


def defines(d, c, g, kind, f32):
    return [f"-DHEAD_DIM={d}", f"-DCHUNK={c}", f"-DGROUP={g}", f"-DKV_BF16={int(kind == 'bf16')}", f"-DIO_F32={int(f32)}",
            f"-DKV_EIGHT={EIGHT.get(kind, 0)}"]


def main():
    out, arch = sys.argv[1], sys.argv[2]
    os.makedirs(out, exist_ok=True)
    lib = nvrtc()
    open(os.path.join(out, "read.cubin"), "wb").write(compile(lib, [], arch, os.path.join(HERE, "read.cu"))[0])
    for spec in sys.argv[3:]:
        # d,c,g,type,io[,-DX=..]
        parts = spec.split(",")
        d, c, g = map(int, parts[:3])
        shape = (d, c, g, parts[3], parts[4] == "f32")
        extra = parts[5:]
        cubin, log = compile(lib, defines(*shape) + extra, arch)
        name = name_of(*shape) + "".join("_" + e[2:].replace("=", "") for e in extra)
        open(os.path.join(out, name + ".cubin"), "wb").write(cubin)
        if parts[3] in EIGHT:
            cache, _ = compile(lib, defines(*shape), arch, "kv_cache_eight.cu")
            open(os.path.join(out, name.replace("attention", "cache") + ".cubin"), "wb").write(cache)
        used = re.findall(r"(\d+ bytes stack frame.*|Used \d+ registers.*)", log)
        print(name, arch, "; ".join(used))
        for line in log.splitlines():
            if "warning" in line or "error" in line or "C75" in line:
                print("  ", line)


if __name__ == "__main__":
    main()
