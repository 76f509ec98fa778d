"""Every algorithm on LeNet: what each may cost on real digits, and all of them in one search space."""

import concurrent.futures
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import PATIENCE, LatheTest, program
from trial_runs import TrialRuns

TRIALS_AT_ONCE = 2
POINT = 0.01

STRUCTURED = ("l1", "l2", "fpgm", "taylorfo", "apoz", "mean_activation")
PRUNERS = {"level", "l1", "l2", "fpgm", "slim", "taylorfo", "apoz", "mean_activation", "agp", "lottery"}
QUANTIZERS = {"naive", "qat", "dorefa", "bnn", "lsq"}


def make_lenet(*options):
    made = subprocess.run([program("lenet-example"), *map(str, options)], capture_output=True, text=True, timeout=300 * PATIENCE)
    assert made.returncode == 0, made.stdout + made.stderr


class Mnist(unittest.TestCase):
    """On real digits, where MNIST_DIR names a folder with the 10,000 test images: 8,000 to train on, 2,000 to test with."""

    @classmethod
    def setUpClass(cls):
        if "MNIST_DIR" not in os.environ:
            raise unittest.SkipTest("MNIST_DIR IS NOT SET: what the algorithms cost on MNIST was not tested")
        cls.folder = Path(tempfile.mkdtemp(prefix="lathe-e2e-mnist-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.pool = concurrent.futures.ThreadPoolExecutor(TRIALS_AT_ONCE)
        cls.addClassCleanup(cls.pool.shutdown, cancel_futures=True)
        mnist = ("--data", os.environ["MNIST_DIR"], "--epochs", 5)
        plain = cls.pool.submit(make_lenet, *mnist, "--model", cls.folder / "lenet.pt")
        normed = cls.pool.submit(make_lenet, *mnist, "--model", cls.folder / "lenet-bn.pt", "--batch-norm")
        plain.result()
        normed.result()
        cls.start_trials()

    @classmethod
    def start_trials(cls):
        """All at once, two at a time; each test waits for its own."""
        pruning = cls.runs("lenet.pt", "pruning", {"epochs": 3})
        slimming = cls.runs("lenet-bn.pt", "slimming", {"epochs": 3})
        training = cls.runs("lenet.pt", "quantization", {"epochs": 1, "learningRate": 0.002}, keep_output=False)
        calibrating = cls.runs("lenet.pt", "calibration", {"epochs": 0}, keep_output=False)
        half = {"sparsity": 0.5}
        eight_bits = {"quant_bits": 8, "quant_types": ["weight", "input", "output"]}
        trials = {name: (pruning, {"_name": name, **half}) for name in STRUCTURED}
        trials["slim"] = (slimming, {"_name": "slim", **half, "parameter::sparsifying_training_epochs": 2})
        trials["agp"] = (pruning, {"_name": "agp", "sparsity": 0.9, "parameter::num_iterations": 3})
        trials["qat"] = (training, {"_name": "qat", **eight_bits})
        trials["observer"] = (calibrating, {"_name": "observer", **eight_bits})
        cls.reports = {name: cls.pool.submit(runs.run, name, algorithm) for name, (runs, algorithm) in trials.items()}

    @classmethod
    def runs(cls, model, name, finetuning, keep_output=True):
        files = {part: str(Path(os.environ["MNIST_DIR"]) / f"t10k-{part}-ubyte.gz") for part in ("images-idx3", "labels-idx1")}
        part = {"images": files["images-idx3"], "labels": files["labels-idx1"]}
        runs = TrialRuns(cls.folder / name, {
            "model": str(cls.folder / model), "inputShape": [1, 1, 28, 28],
            "data": {"format": "idx", "train": {**part, "range": [0, 8000]}, "test": {**part, "range": [8000, 10000]}},
            "evaluation": {"batchSize": 250}, "finetuning": {"optimizerArgs": {"momentum": 0.9}, **finetuning},
            "latency": {"runs": 5, "warmup": 1, "batchSize": 1},
            "configList": [{"exclude": True, "op_names": ["fc2"]}] if keep_output else []})
        runs.prepare()
        return runs

    def drop(self, name):
        """Accuracy lost, and the trial's metrics."""
        report = self.reports[name].result()
        self.assertEqual(report["algorithm"], name)
        original, metrics = report["baseline"], report["metrics"]
        self.assertGreaterEqual(original["accuracy"], 0.96)
        return round(original["accuracy"] - metrics["accuracy"], 9), metrics, original

    def test_half_of_the_filters_cost_half_a_point(self):
        for name in (*STRUCTURED, "slim"):
            with self.subTest(name):
                lost, metrics, original = self.drop(name)
                self.assertLessEqual(lost, 0.5 * POINT)
                self.assertLess(metrics["parameters"], 0.8 * original["parameters"])
                self.assertLess(metrics["macs"], 0.75 * original["macs"])

    def test_nine_of_ten_weights_cost_a_point(self):
        lost, metrics, _ = self.drop("agp")
        self.assertLessEqual(lost, 1 * POINT)
        self.assertGreaterEqual(metrics["sparsity"], 0.88)

    def test_eight_bits_cost_a_third_of_a_point(self):
        for name in ("qat", "observer"):
            with self.subTest(name):
                lost, _, _ = self.drop(name)
                self.assertLessEqual(lost, 0.3 * POINT)


class AllInOneSpace(LatheTest):
    """The example experiment of ten pruners and five quantizers, over REST."""

    def test_sixty_trials_and_none_fails(self):
        example = self.scratch / "lenet"
        make_lenet("--directory", example, "--batch-norm", "--epochs", 1)
        text = (example / "all.yml").read_text()
        answer = self.client.request("POST", "experiments", body=text, query={"directory": str(example)})
        self.assertEqual(answer.status, 201, answer.text)
        identity = answer.json()["id"]
        self.client.wait_status(identity, "DONE", 480)
        trials = self.client.trials(identity)
        self.assertEqual(len(trials), 60)
        failed = [(trial["parameters"], trial.get("reason")) for trial in trials if trial["status"] != "SUCCEEDED"]
        self.assertEqual(failed, [])
        for trial in trials:
            self.check_trial(identity, trial)
        names = {trial["parameters"]["algorithm"]["_name"] for trial in trials}
        self.assertLessEqual(names, PRUNERS | QUANTIZERS)
        self.assertGreaterEqual(len(names & PRUNERS), 5, names)
        self.assertGreaterEqual(len(names & QUANTIZERS), 2, names)

    def check_trial(self, identity, trial):
        name, final = trial["parameters"]["algorithm"]["_name"], trial["finalMetric"]
        report = self.client.get(f"experiments/{identity}/trials/{trial['id']}/files/report.json")
        self.assertEqual(report["algorithm"], name)
        self.assertEqual(report["metrics"]["accuracy"], final["accuracy"])
        self.assertTrue(0 <= final["accuracy"] <= 1, final)
        self.assertAlmostEqual(final["accuracy_drop"], report["baseline"]["accuracy"] - final["accuracy"], places=6)
        if name in PRUNERS:
            self.assertGreater(final["sparsity"], 0, f"{name} pruned nothing")


if __name__ == "__main__":
    unittest.main()
