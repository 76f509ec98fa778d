#!/usr/bin/env python3
"""onnxruntime beside Lathe's files: one forward pass of the float model and of the 8-bit one in each of the two.

    bench/onnxruntime_latency.py [--batches 1,4] [--threads 1,2] [--seconds 3]

Needs build/release/bin/onnxruntime-files (-DLATHE_BENCH=ON), the distribution's python3-torch, and onnxruntime, which pip puts into an
environment of its own under build/. Where one of them is not to be had it says so and ends with 0. The four take turns of a few runs, so
that a noisy machine is fair to all; the first runs of a turn, which fetch the weights into the cache, do not count. Medians.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("LATHE_BUILD", ROOT / "build" / "release"))
PYTHON = "/usr/bin/python3"
ENVIRONMENT = BUILD / "onnxruntime-python"
VERSION = "onnxruntime==1.18.1"  # the last that is at home with Debian's NumPy 1
TURN, UNTIMED = 12, 2
MEASURE = "--measure"  # the same file in the environment that has both


def skip(reason):
    print(f"ONNXRUNTIME IS NOT COMPARED: {reason}")
    sys.exit(0)


def prepare():
    """The Python that has torch and onnxruntime."""
    if not (BUILD / "bin" / "onnxruntime-files").exists():
        skip("onnxruntime-files is not built (cmake --preset release -DLATHE_BENCH=ON)")
    if not Path(PYTHON).exists() or subprocess.run([PYTHON, "-c", "import torch"], capture_output=True).returncode:
        skip("python3-torch is not installed (apt-get install --no-install-recommends python3-torch)")
    python = ENVIRONMENT / "bin" / "python3"
    if not python.exists() and subprocess.run([PYTHON, "-m", "venv", "--system-site-packages", ENVIRONMENT]).returncode:
        skip("python3-venv is not installed")
    if subprocess.run([python, "-c", "import onnxruntime"], capture_output=True).returncode:
        installed = subprocess.run([python, "-m", "pip", "install", "--quiet", VERSION], capture_output=True, text=True)
        if installed.returncode:
            skip(f"pip could not install it: {installed.stderr.strip().splitlines()[-1:]}")
    return python


def runners(folder, name, shape, threads):
    """A call for each column of the table."""
    import numpy
    import onnxruntime
    import torch

    torch.set_num_threads(threads)
    torch.backends.quantized.engine = "onednn"
    values = numpy.random.default_rng(7).standard_normal(shape, dtype=numpy.float32)
    tensor = torch.from_numpy(values)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1

    def in_torch(ending):
        model = torch.jit.load(str(folder / f"{name}{ending}")).eval()
        return lambda: model(tensor)

    def in_onnxruntime(ending):
        session = onnxruntime.InferenceSession(str(folder / f"{name}{ending}"), options, providers=["CPUExecutionProvider"])
        feeds = {session.get_inputs()[0].name: values}
        return lambda: session.run(None, feeds)

    return [in_torch(".pt"), in_onnxruntime(".onnx"), in_torch("-int8.pt"), in_onnxruntime("-qdq.onnx")]


def medians(calls, seconds):
    """In milliseconds, after each has run for a share of the seconds."""
    def milliseconds(call):
        start = time.perf_counter()
        call()
        return (time.perf_counter() - start) * 1000

    slowest = max(min(milliseconds(call) for _ in range(5)) for call in calls)
    turns = max(3, min(60, int(seconds * 1000 / (TURN * slowest))))
    times = [[] for _ in calls]
    for _ in range(turns):
        for call, own in zip(calls, times):
            own += [milliseconds(call) for _ in range(TURN)][UNTIMED:]
    return [statistics.median(own) for own in times]


def measure(folder, batches, threads, seconds):
    import torch

    print("| model | threads | batch | float, ms | float in onnxruntime, ms | `int8.pt`, ms | Q/DQ in onnxruntime, ms | int8, onnxruntime / ours |\n"
          "| --- | --- | --- | --- | --- | --- | --- | --- |")
    with torch.no_grad():
        for model in json.loads((folder / "models.json").read_text()):
            for batch in batches:
                calls = runners(folder, model["name"], [batch, *model["shape"][1:]], threads)
                ms = medians(calls, seconds)
                print(f"| {model['name']} | {threads} | {batch} | " + " | ".join(f"{each:.3f}" for each in ms) + f" | {ms[3] / ms[2]:.2f} |",
                      flush=True)


def numbers(text):
    return [int(each) for each in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=numbers, default=[1, 4])
    parser.add_argument("--threads", type=numbers, default=[1, 2])
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument(MEASURE, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(Path(options.measure), options.batches, options.threads[0], options.seconds)
        return
    python = prepare()
    with tempfile.TemporaryDirectory(prefix="lathe-onnxruntime-") as folder:
        subprocess.run([BUILD / "bin" / "onnxruntime-files", folder], check=True)
        for threads in options.threads:  # a process each: OpenMP and OpenBLAS take their threads when they start
            subprocess.run([python, __file__, MEASURE, folder, "--batches", ",".join(map(str, options.batches)), "--threads", str(threads),
                            "--seconds", str(options.seconds)], check=True,
                           env={**os.environ, "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "passive"})


if __name__ == "__main__":
    main()
