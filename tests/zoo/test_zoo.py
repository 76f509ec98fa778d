#!/usr/bin/env python3
"""Builds the zoo small and has zoo-check speed it up: test_zoo.py ZOO_CHECK [OPTION …]. Ends with 77 (skipped) without
torch.

To stay within minutes: small inputs, one seed, scripted models with two kinds of masks, traced ones with the third. By hand,
everything:

    /usr/bin/python3 tests/zoo/build.py OUT_DIR && build/release/bin/zoo-check --latency OUT_DIR/*.pt"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

PYTHON = "/usr/bin/python3"  # the one that the distribution's torch is for
BUILD = Path(__file__).with_name("build.py")
SKIPPED = 77

# A model of half a gigabyte a form takes as long as all others; its layers are those of the others.
LEFT_OUT = {"vgg16_bn"}
MASKS = {"scripted": "plain,aligned", "traced": "extended"}


def has_torch():
    return os.path.exists(PYTHON) and subprocess.run([PYTHON, "-c", "import torch"], capture_output=True).returncode == 0


def names():
    listed = subprocess.run([PYTHON, "-c", "from models import CATALOG; print(*CATALOG)"], cwd=BUILD.parent, check=True,
                            capture_output=True, text=True)
    return [name for name in listed.stdout.split() if name not in LEFT_OUT]


def main(zoo_check, *options):
    if not has_torch():
        print("PYTHON3-TORCH IS NOT INSTALLED: the zoo's Python models were not tested "
              "(apt-get install --no-install-recommends python3-torch)")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="lathe-zoo-") as folder:
        subprocess.run([PYTHON, str(BUILD), folder, "--small", *names()], check=True)
        codes = []
        for form, masks in MASKS.items():
            files = sorted(map(str, Path(folder).glob(f"*.{form}.pt")))
            codes.append(subprocess.run([zoo_check, *files, "--seeds", "1", "--masks", masks, *options]).returncode)
        return max(codes, key=abs)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
