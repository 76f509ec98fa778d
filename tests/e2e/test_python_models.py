"""Models that Python has scripted or traced, with the same weights, are pruned alike, and as PyTorch computes it."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import PATIENCE
from trial_runs import TrialRuns

PYTHON = "/usr/bin/python3"
MODELS = Path(__file__).with_name("python_models.py")
ALGORITHMS = {"level": 0.6, "l1": 0.5, "fpgm": 0.4}
OUTPUT_LAYER = {"lenet": "fc2", "residual": "fc"}


def has_torch():
    return os.path.exists(PYTHON) and subprocess.run([PYTHON, "-c", "import torch"], capture_output=True).returncode == 0


def python_models(*words):
    ended = subprocess.run([PYTHON, str(MODELS), *map(str, words)], capture_output=True, text=True, timeout=120 * PATIENCE,
                           env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    if ended.returncode:
        raise AssertionError(f"python_models.py {words[0]}: {ended.stdout}{ended.stderr}")
    return ended.stdout


def layers_of(report):
    """But for what a clock says of them."""
    return [{key: value for key, value in layer.items() if not key.startswith("latency_")} for layer in report["layers"]]


class PythonModels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not has_torch():
            raise unittest.SkipTest("PYTHON3-TORCH IS NOT INSTALLED: models from Python were not tested "
                                    "(apt-get install --no-install-recommends python3-torch)")
        cls.folder = Path(tempfile.mkdtemp(prefix="lathe-e2e-python-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        python_models("make", cls.folder)

    def runs(self, net, kind):
        data = {"file": str(self.folder / "data.pt")}
        return TrialRuns(self.folder / f"{net}-{kind}", {
            "model": str(self.folder / f"{net}-{kind}.pt"), "inputShape": [2, 1, 28, 28],
            "data": {"format": "tensor", "train": data, "test": data}, "finetuning": {"epochs": 0},
            "latency": {"runs": 1, "warmup": 0, "batchSize": 1},
            "configList": [{"exclude": True, "op_names": [OUTPUT_LAYER[net]]}]})

    def check_net(self, net):
        runs = {kind: self.runs(net, kind) for kind in ("scripted", "traced")}
        originals = {kind: run.prepare() for kind, run in runs.items()}
        self.assertEqual(originals["scripted"]["parameters"], originals["traced"]["parameters"])
        self.assertEqual(originals["scripted"]["macs"], originals["traced"]["macs"])
        for algorithm, sparsity in ALGORITHMS.items():
            with self.subTest(algorithm=algorithm):
                reports = {kind: run.run(algorithm, {"_name": algorithm, "sparsity": sparsity}) for kind, run in runs.items()}
                scripted, traced = reports["scripted"], reports["traced"]
                self.assertEqual(layers_of(scripted), layers_of(traced))
                self.assertEqual(scripted["metrics"]["accuracy"], traced["metrics"]["accuracy"])
                files = [report["folder"] / "compressed.pt" for report in (scripted, traced)]
                checked = json.loads(python_models("check", net, algorithm, sparsity, *files))
                self.assertEqual(checked["parameters"], scripted["metrics"]["parameters"])
                if algorithm != "level":
                    self.assertLess(checked["parameters"], originals["scripted"]["parameters"])

    def test_pytorch_opens_what_a_trial_leaves(self):
        for net in ("lenet", "residual"):
            for kind in ("scripted", "traced"):
                with self.subTest(net=net, kind=kind):
                    runs = self.runs(net, kind)
                    quantized = runs.run("observer", {"_name": "observer", "quant_types": ["weight", "input"], "quant_bits": 8})
                    checked = json.loads(python_models("int8", net, quantized["folder"]))
                    self.assertAlmostEqual(checked["accuracy"], quantized["metrics"]["int8_accuracy"])
                    pruned = runs.run("level-files", {"_name": "level", "sparsity": 0.5})
                    self.assertGreater(len(json.loads(python_models("masks", net, pruned["folder"]))["layers"]), 1)

    def test_lenet(self):
        self.check_net("lenet")

    def test_a_residual_net(self):
        self.check_net("residual")


if __name__ == "__main__":
    unittest.main()
