"""The product itself: LeNet is pruned, fine-tuned, really shrunk and measured, on digits that the example draws."""

import json
import os
import shutil
import subprocess
import unittest
import urllib.parse
from pathlib import Path

from harness import PATIENCE, ROOT, LatheTest, program

MEASURES = {"default", "accuracy", "accuracy_drop", "loss", "sparsity", "parameters", "macs", "size_bytes", "latency_ms", "speedup"}


class LeNet(LatheTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            cls.example = cls.folder / "lenet"
            cls.example.mkdir()
            made = subprocess.run([program("lenet-example"), "--directory", str(cls.example), "--epochs", "2"], capture_output=True, text=True,
                                  timeout=120 * PATIENCE)
            assert made.returncode == 0, made.stdout + made.stderr
            for name in ("experiment.yml", "l1.yml"):
                shutil.copy(ROOT / "examples" / "lenet" / name, cls.example)
        except BaseException:
            cls._close()
            raise

    def submit(self, name, **changes):
        text = (self.example / name).read_text()
        for old, new in changes.items():
            self.assertIn(old, text)
            text = text.replace(old, new)
        path = self.example / f"e2e-{name}"
        path.write_text(text)
        result = self.lathectl("create", "--config", str(path), "--wait", seconds=120)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        newest = self.client.get("experiments")["items"][0]
        return self.client.experiment(newest["id"]), result.stdout

    def test_half_of_the_filters(self):
        experiment, table = self.submit("l1.yml")
        trial = self.client.trials(experiment["id"])[0]
        baseline, final = experiment["baseline"], trial["finalMetric"]
        self.assertEqual(baseline["parameters"], 431080)
        self.assertEqual(final["parameters"], 109295)
        self.assertLessEqual(MEASURES, set(final))
        self.assertLessEqual(final["size_bytes"], baseline["size_bytes"] / 3)
        self.assertLess(final["macs"], baseline["macs"])
        self.assertAlmostEqual(final["accuracy_drop"], baseline["accuracy"] - final["accuracy"], places=6)
        self.assertAlmostEqual(final["sparsity"], 1 - 109295 / 431080, places=3)
        self.assertGreater(final["speedup"], 1)
        self.assertGreater(baseline["accuracy"], 0.9)
        compressed = Path(trial["directory"]) / "compressed.pt"
        self.assertLessEqual(compressed.stat().st_size, (self.example / "lenet.pt").stat().st_size / 3)
        json.loads((Path(trial["directory"]) / "report.json").read_text())
        lines = table.splitlines()
        self.assertIn("original", lines[1])
        self.assertIn("431,080", lines[1])
        self.assertIn("109,295", lines[2])
        self.assertIn("l1 sparsity=0.5", lines[2])
        download = self.client.request("GET", f"experiments/{experiment['id']}/trials/{trial['id']}/files/compressed.pt")
        self.assertEqual(download.body, compressed.read_bytes())

    def test_a_search_over_three_pruners(self):
        experiment, _ = self.submit("experiment.yml", **{"maxTrialNumber: 16": "maxTrialNumber: 4", "epochs: 2": "epochs: 1"})
        trials = self.client.trials(experiment["id"])
        self.assertEqual({t["status"] for t in trials}, {"SUCCEEDED"}, [t.get("reason") for t in trials])
        self.assertLessEqual({t["parameters"]["prune_method"]["_name"] for t in trials}, {"agp", "level", "l1"})
        for trial in trials:
            final = trial["finalMetric"]
            self.assertLessEqual(MEASURES, set(final))
            feasible = final["accuracy_drop"] <= 0.02
            self.assertEqual(final["default"] >= 0, feasible, final)
        best = max(trials, key=lambda t: t["metric"])
        self.assertEqual(experiment["best"]["trialId"], best["id"])

    def test_a_wrong_layer_fails_before_any_trial(self):
        text = (self.example / "experiment.yml").read_text().replace("fc1_sparsity", "fc9_sparsity")
        answer = self.client.request("POST", "experiments?" + urllib.parse.urlencode({"directory": str(self.example)}), body=text)
        self.assertEqual(answer.status, 201, answer.text)
        failed = self.client.wait_status(answer.json()["id"], "ERROR", 30)
        self.assertIn("fc9", failed["error"])
        self.assertEqual(self.client.trials(failed["id"]), [])


class Mnist(LatheTest):
    """Runs on real digits where MNIST_DIR names a folder with the 10,000 test images."""

    @classmethod
    def setUpClass(cls):
        if "MNIST_DIR" not in os.environ:
            raise unittest.SkipTest("MNIST_DIR IS NOT SET: the MNIST acceptance test did not run")
        super().setUpClass()

    def test_half_the_parameters_within_a_point(self):
        shutil.copy(ROOT / "examples" / "mnist" / "experiment.yml", self.scratch)
        made = subprocess.run([program("lenet-example"), "--data", os.environ["MNIST_DIR"], "--model", str(self.scratch / "lenet.pt")],
                              capture_output=True, text=True, timeout=300 * PATIENCE)
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        result = self.lathectl("create", "--config", str(self.scratch / "experiment.yml"), "--wait", seconds=240)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        experiment = self.client.get("experiments")["items"][0]
        original = experiment["baseline"]
        self.assertGreaterEqual(original["accuracy"], 0.96)
        best = self.client.get(f"experiments/{experiment['id']}/trials/{experiment['best']['trialId']}")["finalMetric"]
        self.assertLessEqual(best["accuracy_drop"], 0.01)
        self.assertLessEqual(best["parameters"] * 2, original["parameters"])


if __name__ == "__main__":
    unittest.main()
