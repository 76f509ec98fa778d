"""The other examples and the tools around them: ResNet-20, and the table of all algorithms."""

import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from harness import BIN, PATIENCE, ROOT, program
from trial_runs import TrialRuns


def run(*command, seconds=180):
    """Standard output of a program that ends well."""
    ended = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=seconds * PATIENCE)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


class Example(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="lathe-e2e-examples-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)


class ResNet20(Example):
    def test_is_trained_and_pruned(self):
        run(program("resnet20-example"), "--directory", self.folder, seconds=300)
        self.assertTrue((self.folder / "experiment.yml").exists())
        parts = {name: {"images": str(self.folder / f"data/{name}-images-idx3-ubyte"),
                        "labels": str(self.folder / f"data/{name}-labels-idx1-ubyte")} for name in ("train", "test")}
        runs = TrialRuns(self.folder / "trials", {
            "model": str(self.folder / "model.pt"), "inputShape": [1, 1, 28, 28],
            "data": {"format": "idx", "train": {**parts["train"], "range": [0, 1500]}, "test": parts["test"]},
            "evaluation": {"batchSize": 250}, "finetuning": {"epochs": 1, "learningRate": 0.02, "optimizerArgs": {"momentum": 0.9}},
            "latency": {"runs": 5, "warmup": 1, "batchSize": 1}})
        original = runs.prepare()
        self.assertEqual(original["parameters"], 272186)
        self.assertGreaterEqual(original["accuracy"], 0.97)
        inner = [f"layer{stage}.{block}.conv1" for stage in (1, 2, 3) for block in (0, 1, 2)]
        report = runs.run("l1", {"_name": "l1", f"config_list::Conv2d::{':'.join(inner)}::sparsity": 0.5})
        layers = {layer["name"]: layer for layer in report["layers"]}
        for name in inner:
            before, after = layers[name]["shape_before"], layers[name]["shape_after"]
            self.assertEqual(after, [before[0] // 2, *before[1:]], name)
        self.assertLess(report["metrics"]["macs"], 0.52 * original["macs"])
        self.assertLessEqual(report["metrics"]["accuracy_drop"], 0.02)


class AlgorithmTable(Example):
    def test_a_failure_is_a_row(self):
        run(program("lenet-example"), "--directory", self.folder, "--epochs", 1)
        table = (ROOT / "bench" / "algorithm_table.py", "--experiment", self.folder / "experiment.yml", "--bin", BIN)
        printed = run(sys.executable, *table, "--only", "level,l1,slim", "--train-records", 200, "--epochs", 1, "--json")
        level, l1, slim = json.loads(printed)
        self.assertEqual((level["row"], l1["row"], slim["row"]), ("level", "l1", "slim"))
        for row in (level, l1):
            self.assertIsNone(row["error"])
            self.assertEqual(row["algorithm"], row["row"])
            self.assertTrue(0 < row["accuracy_finetuned"] <= 1)
            self.assertEqual(row["accuracy_before"], level["accuracy_before"])
        self.assertAlmostEqual(level["sparsity"], 0.9, places=2)
        self.assertEqual(level["parameters"], 431080)
        self.assertLess(l1["parameters"], level["parameters"])
        self.assertIn("exit code 2", slim["error"])
        self.assertIn("selects no layer", slim["error"])

    def test_it_prints_markdown(self):
        run(program("lenet-example"), "--directory", self.folder, "--epochs", 1)
        table = (ROOT / "bench" / "algorithm_table.py", "--experiment", self.folder / "experiment.yml", "--bin", BIN)
        lines = run(sys.executable, *table, "--only", "level", "--train-records", 200, "--epochs", 0, "--markdown").splitlines()
        self.assertEqual(len(lines), 3)
        self.assertTrue(lines[2].startswith("| level | 0."), lines)
        self.assertEqual({line.count("|") for line in lines}, {len(lines[0].split("|")) - 1})


if __name__ == "__main__":
    unittest.main()
