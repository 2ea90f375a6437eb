#!/usr/bin/env python3
"""Tests and measures svspec's trainers on this machine; results.json and results.md say what came of it.

    ./run                                on the GPU
    ./run --device cpu                   what a CPU can do of it
    LIBTORCH=FOLDER ./run                with the LibTorch 2.11.0 in FOLDER: unpacked, or an installed `torch` package
    ./run llama --peak-tflops 989        a part of it, on a GPU whose peak is not in the list below

It needs LibTorch 2.11.0: without LIBTORCH, the package `torch` of this Python is taken. Nothing of Python's own side of it is
used; this script needs the standard library alone. No network is needed. A run of the largest model writes a checkpoint of
13 GB below the folder of the results, and removes it.

What is done is on the disk at once, so that a run that is cut short leaves what it had; what cannot be done is said, and the
rest goes on. Exit codes: 0 all is well, 1 a test or a comparison failed, 2 something could not run.
"""

import argparse
import array
import importlib.util
import json
import math
import os
import platform
import random
import re
import shutil
import statistics
import struct
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VERSION = "2.11.0"
LIBRARY = "lib/libtorch_cpu.so"

# Dense bf16 on tensor cores, without sparsity, 10^12 operations a second, from NVIDIA's data sheets; the first name that fits. What
# trains in f32 has none: its products are of f32 throughout, not of TF32.
PEAKS = [
    ("H100 PCIe", 756), ("H100 NVL", 835), ("H100", 989), ("H200 NVL", 835), ("H200", 989), ("B200", 2250), ("A100", 312),
    ("L40S", 362), ("L4", 121),
]

# The runtime's tests that train on SVSPEC_TEST_DEVICE, or start a trainer that takes the GPU where there is one.
TESTS = ["learning::", "resume::", "checkpoints::", "events::", "lr_scale::", "balanced::", "health::", "program::"]
# On a CPU the project's own tests run all of them; these show that the program runs here.
TESTS_ON_CPU = ["checkpoints::"]

# As in the project's own comparison: of logits, absolute and relative to the largest; of the others, relative.
LOGIT, LOGIT_RELATIVE, LOSS, LOSSES, GRADIENT, SMALLEST_NORM = 1e-4, 1e-5, 1e-5, 1e-4, 1e-4, 1e-4

# Speeds are measured in turns of a baseline and a variant: machines drift, ratios within a pair do not. One on a CPU only shows
# that it runs.
NUM_TURNS = {"cuda": 3, "cpu": 1}
# Losses are fetched, and the device waited for, once in so many steps; those before the first fetch warm up.
STEPS_PER_FETCH = 10
NUM_TOKENS = 1 << 21
# Seconds; whatever takes longer hangs.
PATIENCE = 900


class CannotRun(Exception):
    pass


def find_libtorch():
    """The folder of LibTorch: the user's, or this Python's."""
    named = os.environ.get("LIBTORCH")
    if named:
        folder = Path(named).absolute()
        if not (folder / LIBRARY).is_file():
            raise CannotRun(f"LIBTORCH is `{named}`, which holds no {LIBRARY}")
    else:
        package = importlib.util.find_spec("torch")
        folder = Path(package.origin).parent if package and package.origin else None
        if folder is None or not (folder / LIBRARY).is_file():
            raise CannotRun(
                f"{sys.executable} has no package `torch`, whose LibTorch these programs need: install torch=={VERSION}, start this "
                f"script with a Python that has it, or set LIBTORCH to the folder of a LibTorch {VERSION} (it holds {LIBRARY})"
            )
    found = version(folder)
    if found not in (VERSION, None):
        raise CannotRun(
            f"{folder} is of version {found}, and these programs need {VERSION}, for which they were compiled: install "
            f"torch=={VERSION}, or set LIBTORCH to the folder of a LibTorch {VERSION}"
        )
    return folder


def version(folder):
    """Without its build's suffix: 2.11.0+cu130 is 2.11.0. None where no file says it."""
    for name, pattern in [("build-version", r"(\S+)"), ("version.py", r"__version__ = ['\"](\S+)['\"]")]:
        if (folder / name).is_file():
            found = re.search(pattern, (folder / name).read_text())
            return found and found.group(1).split("+")[0]
    return None


def environment(libtorch, device):
    """In which the programs find LibTorch, and what CUDA libraries lie beside it."""
    folders = [libtorch / "lib", *sorted(libtorch.parent.glob("nvidia/*/lib"))]
    path = [str(folder) for folder in folders] + [os.environ[name] for name in ["LD_LIBRARY_PATH"] if os.environ.get(name)]
    return {
        "GOMP_SPINCOUNT": "1000",  # threads that yield, as trainers' do
        **os.environ,
        "LD_LIBRARY_PATH": ":".join(path),
        "SVSPEC_TEST_DEVICE": device,
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # as nvidia-smi counts them
        # Images may set these, and products of f32 would be TF32's.
        "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "0",
        "NVIDIA_TF32_OVERRIDE": "0",
    }


def machine(device):
    """Its name in words."""
    if device == "cuda":
        first = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0] or "0"
        query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader", f"--id={first}"]
        try:
            return subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return "a GPU that nvidia-smi does not name"
    words = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
    names = [line.split(":", 1)[1].strip() for line in words if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


def peak_of(name):
    """Of the GPU with this name, in 10^12 operations a second."""
    fitting = [peak for words, peak in PEAKS if re.search(rf"\b{words}\b", name)]
    return fitting[0] if fitting else None


def start(command, env):
    """What became of it."""
    words = [str(word) for word in command]
    try:
        return subprocess.run(words, env=env, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise CannotRun(f"`{' '.join(words)}` did not end in {PATIENCE} s") from None


def run(command, env):
    done = start(command, env)
    if done.returncode != 0:
        shown = " ".join(str(word) for word in command)
        raise CannotRun(f"`{shown}` ended with {done.returncode}: {(done.stdout + done.stderr).strip()}")


def check(trainer, device, env):
    """That trainers run here, and find the device: it is chosen before what is given is read."""
    done = start([trainer, "evaluate", "--device", device, "/none", "/none"], env)
    if "cannot read `/none`" not in done.stderr:
        raise CannotRun(f"trainers do not run here: {done.stderr.strip()}")


def tests(device, env, out):
    """The count of the runtime's tests, and the names of those that failed. All that they say goes to `out`."""
    done = start([HERE / "tests/deps/runtime", *(TESTS if device == "cuda" else TESTS_ON_CPU)], env)
    out.write_text(done.stdout + done.stderr)
    count = re.search(r"(\d+) passed; (\d+) failed", done.stdout)
    if count is None:
        raise CannotRun(f"the tests did not end, see {out}")
    failed = re.findall(r"^test (\S+) \.\.\. FAILED", done.stdout, re.MULTILINE)
    return {"passed": int(count.group(1)), "failed": failed}


def read_tensors(path):
    """Names to lists of numbers, and to (type, shape)."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    kinds = {"F32": "f", "F64": "d", "I64": "q"}
    values = {}
    for name, about in header.items():
        first, end = (8 + length + offset for offset in about["data_offsets"])
        values[name] = array.array(kinds[about["dtype"]], data[first:end])
    return values, {name: about["shape"] for name, about in header.items()}


def write_tokens(path, tensors):
    """Names to (values, shape), of whole numbers."""
    header, data = {}, b""
    for name, (values, shape) in tensors.items():
        bytes_ = values.tobytes()
        header[name] = {"dtype": "I64", "shape": shape, "data_offsets": [len(data), len(data) + len(bytes_)]}
        data += bytes_
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def difference(found, expected):
    """The largest, not a number where there is none."""
    if len(found) != len(expected):
        return math.nan
    return max((abs(a - b) if a == a and b == b else math.inf for a, b in zip(found, expected)), default=0.0)


def norm(values):
    return math.sqrt(math.fsum(value * value for value in values))


def family(name, device, env, scratch):
    """What the family's trainer computes on the device, against what transformers computed: errors, each with its bound."""
    folder, trainer = HERE / "families" / name, HERE / "trainers" / f"{name}_tiny"
    expected, shapes = read_tensors(folder / "reference.safetensors")

    def compute(command, prefix):
        paths = [scratch / f"{name}_{command}_{end}.safetensors" for end in ["in", "out"]]
        ids = {word: (expected[prefix + word], shapes[prefix + word]) for word in ["tokens", "targets"]}
        write_tokens(paths[0], ids)
        run([trainer, command, "--device", device, "--from", folder, *paths], env)
        return read_tensors(paths[1])[0]

    found = compute("evaluate", "")
    largest = max(map(abs, expected["logits"]))
    errors = {
        "logits": (difference(found["logits"], expected["logits"]), min(LOGIT, LOGIT_RELATIVE * largest)),
        "loss": (difference(found["loss"], expected["loss"]) / expected["loss"][0], LOSS),
    }
    gradients = {key.removeprefix("gradient."): value for key, value in expected.items() if key.startswith("gradient.")}
    smallest = SMALLEST_NORM * math.sqrt(math.fsum(norm(gradient) ** 2 for gradient in gradients.values()))

    def of_gradient(key, gradient):
        ours = found["foreign_grad." + key]
        return norm([a - b for a, b in zip(ours, gradient, strict=True)]) / max(norm(gradient), smallest)

    errors["gradients"] = (max(of_gradient(*each) for each in gradients.items()), GRADIENT)
    losses = compute("trajectory", "trajectory.")["losses"]
    reference = expected["trajectory.losses"]
    relative = [(a - b) / b for a, b in zip(losses, reference, strict=True)]
    errors["losses of 20 steps"] = (difference(relative, [0.0] * len(relative)), LOSSES)
    return {
        what: {"error": error, "bound": bound, "agrees": error <= bound} for what, (error, bound) in errors.items()
    }


def corpus(vocab, scratch):
    """Random tokens, rare and frequent ones as in text, as nanoGPT keeps them."""
    path = scratch / f"tokens_{vocab}.bin"
    if not path.exists():
        weights = [1 / (rank + 1) for rank in range(vocab)]
        path.write_bytes(array.array("H", random.Random(0).choices(range(vocab), weights, k=NUM_TOKENS)).tobytes())
    return path


def train(model, pair, device, env, scratch):
    """Tokens a second once it is warm, and the most memory that was held, in bytes."""
    out = scratch / "run"
    data = corpus(pair["vocab"], scratch)
    options = ["--data", data, "--out", out, "--device", device, "--quiet"]
    try:
        run([HERE / "trainers" / model["name"], *options], env)
        rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        summary = json.loads((out / "summary.json").read_text())
    finally:
        shutil.rmtree(out, ignore_errors=True)
    if summary["device"] != device:
        raise CannotRun(f"{model['name']} trained on {summary['device']}")
    rows = {row["step"]: row for row in rows if "loss" in row}
    warm, last = rows[STEPS_PER_FETCH], rows[pair["steps"]]
    rate = (last["tokens"] - warm["tokens"]) / (last["seconds"] - warm["seconds"])
    return {
        "tokens_per_second": rate,
        "peak_memory_bytes": summary["peak_memory_bytes"],
        "precision": summary["precision"],
    }


def speeds(pair, turns, peak):
    """Of a baseline and its variant: medians over the turns so far, and of the ratios within them."""
    results = []
    for index, model in enumerate(pair["models"]):
        runs, baselines = [turn[index] for turn in turns], [turn[0] for turn in turns]

        def ratio(key):
            return statistics.median(run[key] / of[key] for run, of in zip(runs, baselines)) if index else None

        rate = statistics.median(run["tokens_per_second"] for run in runs)
        has_peak = peak and runs[0]["precision"] == "bf16"
        results.append({
            **model,
            "context": pair["context"],
            "precision": runs[0]["precision"],
            "tokens_per_second": rate,
            "tokens_per_second_of_runs": [run["tokens_per_second"] for run in runs],
            "speed_ratio": ratio("tokens_per_second"),
            "peak_memory_bytes": max(run["peak_memory_bytes"] for run in runs),
            "memory_ratio": ratio("peak_memory_bytes"),
            "mfu": rate * model["training_flops_per_token"] / (peak * 1e12) if has_peak else None,
        })
    return results


def speed_table(speeds, peak):
    titles = ["model", "T", "tokens/s", "against baseline", "peak memory", "against baseline", "FLOPs per token", "MFU"]
    lines = [f"| {' | '.join(titles)} |", "|" + "---|" * len(titles)]
    for speed in speeds:
        ratios = [f"{ratio:.3f}x" if ratio else "" for ratio in (speed["speed_ratio"], speed["memory_ratio"])]
        memory, flops = speed["peak_memory_bytes"] / 2**20, speed["training_flops_per_token"] / 1e6
        mfu = f"{speed['mfu']:.1%}" if speed["mfu"] else ""
        cells = [
            f"{speed['name']} ({speed['precision']})", speed["context"],
            f"{speed['tokens_per_second']:,.0f} (median of {len(speed['tokens_per_second_of_runs'])})", ratios[0],
            f"{memory:,.0f} MiB", ratios[1], f"{flops:,.2f} M", mfu,
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    if any(speed["mfu"] for speed in speeds):
        lines += [
            "",
            f"MFU = tokens/s x FLOPs per token / ({peak:g} x 10^12 FLOP/s, dense bf16); FLOPs are those of forward and backward as",
            "`svc show cost` counts them, of causal attention what is not masked",
        ]
    return lines


def markdown(results):
    lines = [f"LibTorch {results['libtorch']} on {results['device']}: {results['machine']}", ""]
    for name, errors in results["families"].items():
        told = [f"{what} off by {about['error']:.1e} of {about['bound']:.1e}" for what, about in errors.items()]
        word = "agrees" if all(about["agrees"] for about in errors.values()) else "**does not agree**"
        lines += [f"{name} {word} with transformers: {', '.join(told)}", ""]
    if "tests" in results:
        count = results["tests"]
        lines += [f"The runtime's tests: {count['passed']} passed, {len(count['failed'])} failed (tests.txt)", ""]
        lines += [f"- failed: `{name}`" for name in count["failed"]] + [""] * bool(count["failed"])
    for part, reason in results["could_not_run"].items():
        lines += [f"**{part} could not run**: {reason}", ""]
    speeds = [speed for pair in results["speeds"].values() for speed in pair]
    return "\n".join(lines + (speed_table(speeds, results["peak_tflops"]) if speeds else [])).rstrip() + "\n"


def main():
    bundle = json.loads((HERE / "bundle.json").read_text())
    pairs = {pair["name"]: pair for pair in bundle["pairs"]}
    known = ["families", "tests", *pairs]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(known)}; default: all")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--out", type=Path, default=Path("results"), help="the folder of the results")
    parser.add_argument("--peak-tflops", type=float, help="of the GPU, dense bf16")
    args = parser.parse_args()
    if unknown := set(args.parts) - set(known):
        parser.error(f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    device, libtorch = args.device, find_libtorch()
    env = environment(libtorch, device)
    check(HERE / "trainers" / f"{bundle['families'][0]}_tiny", device, env)
    name = machine(device)
    peak = (args.peak_tflops or peak_of(name)) if device == "cuda" else None
    results = {
        "format_version": 1, "device": device, "machine": name, "libtorch": version(libtorch), "peak_tflops": peak,
        "families": {}, "speeds": {}, "could_not_run": {},
    }
    scratch = args.out / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)

    def note():
        (args.out / "results.json").write_text(json.dumps(results, indent=2) + "\n")
        (args.out / "results.md").write_text(markdown(results))

    def do(part):
        if part == "families":
            for each in bundle["families"]:
                results["families"][each] = family(each, device, env, scratch)
        elif part == "tests":
            results["tests"] = tests(device, env, args.out / "tests.txt")
        else:
            turns = []
            for _ in range(NUM_TURNS[device]):
                turns.append([train(model, pairs[part], device, env, scratch) for model in pairs[part]["models"]])
                results["speeds"][part] = speeds(pairs[part], turns, peak)
                note()

    for part in [part for part in known if part in (args.parts or known)]:
        if device == "cpu" and part in pairs and pairs[part]["only_gpu"]:
            print(f"{part}: only on a GPU", flush=True)
            continue
        print(part, flush=True)
        try:
            do(part)
        except (CannotRun, OSError) as error:
            print(f"error: {error}", file=sys.stderr, flush=True)
            results["could_not_run"][part] = str(error)
        note()
    shutil.rmtree(scratch, ignore_errors=True)
    print(f"\n{markdown(results)}")
    agrees = all(about["agrees"] for errors in results["families"].values() for about in errors.values())
    return 2 if results["could_not_run"] else 0 if agrees and not results.get("tests", {}).get("failed") else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (CannotRun, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
