#!/usr/bin/env python3
"""Takes the zoo through ONNX: test_onnx_zoo.py ONNX_CASES FOLDER [--full]. Ends with 77 (skipped) without torch.

Each model is written by Lathe and by torch.onnx.export; both files are run in onnxruntime, which FOLDER holds, and imported,
and must give what TorchScript gives. ResNet-18 goes quantized too. To stay within a minute: small inputs, VGG left out for its
size, PyTorch's export with an open batch and no constants folded, which leaves most to be understood. By hand, everything at
the papers' resolutions:

    tests/onnx/test_onnx_zoo.py build/release/bin/onnx_cases build/release/onnxruntime --full"""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ZOO = HERE.parent / "zoo"
sys.path.insert(0, str(ZOO))
from test_zoo import BUILD, LEFT_OUT, PYTHON, SKIPPED, has_torch, names  # noqa: E402

IN_TRAINING = "mobilenet_v3_large"  # batch norms, dropout, squeeze and excitation
QUANTIZED = "resnet18"
QUANTIZED_RESOLUTION = "32"
ALL_FORMS = ("dynamic", "dynamic_folded", "fixed", "fixed_folded")


def build(folder, chosen, forms, *options):
    flags = [word for form in forms for word in ("--form", form)]
    subprocess.run([PYTHON, str(BUILD), str(folder), *chosen, *flags, *options], check=True)


def run_cases(onnx_cases, runtime, *arguments):
    return subprocess.run([str(HERE / "run"), onnx_cases, runtime, *map(str, arguments)]).returncode


def main(onnx_cases, runtime, *options):
    full = "--full" in options
    if not has_torch():
        print("PYTHON3-TORCH IS NOT INSTALLED: the zoo was not taken through ONNX "
              "(apt-get install --no-install-recommends python3-torch)")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="lathe-onnx-zoo-") as root:
        models, small = Path(root, "models"), Path(root, "small")
        size = () if full else ("--small",)
        build(models, sorted({*names(), *(LEFT_OUT if full else ())}), ("scripted", *(ALL_FORMS if full else ALL_FORMS[:1])),
              *size)
        build(models, [IN_TRAINING], ["training"], *size)
        build(small, [QUANTIZED], ["scripted"], "--resolution", QUANTIZED_RESOLUTION)
        files = sorted(path for path in models.iterdir() if path.name.endswith((".scripted.pt", ".onnx")))
        return run_cases(onnx_cases, runtime, *files, "--quantize", small / f"{QUANTIZED}.scripted.pt")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
