"""What a trial delivers is what it reported: its files are downloaded and judged by PyTorch and by onnxruntime, without Lathe."""

import gzip
import json
import os
import subprocess
import unittest
from pathlib import Path

from harness import PATIENCE, ROOT, LatheTest, program

PYTHON = "/usr/bin/python3"
TORCH_ACCURACY = Path(__file__).with_name("torch_accuracy.py")
ONNX = ROOT / "tests" / "onnx"
SHAPE = "1,28,28"
POINT = 0.01
IMAGES_HEADER, LABELS_HEADER = 16, 8  # of IDX files

EXPERIMENT = """
experimentName: delivered-files
trialConcurrency: 2
maxTrialNumber: 6
searchSpace:
  algorithm:
    _type: choice
    _value:
      - _name: l1
        sparsity: {{_type: choice, _value: [0.3, 0.5]}}
      - _name: qat
        quant_types: {{_type: choice, _value: [[weight, input], [weight, input, output]]}}
        quant_bits: {{_type: choice, _value: [8]}}
tuner: {{name: Random, classArgs: {{seed: 3}}}}
compression:
  model: {model}
  inputShape: [1, 1, 28, 28]
  data:
    format: idx
    train: {train}
    test: {test}
  evaluation: {{batchSize: 250}}
  finetuning: {{epochs: 1, learningRate: 0.002, optimizerArgs: {{momentum: 0.9}}}}
  latency: {{runs: 5, warmup: 1, batchSize: 1}}
  objective: accuracy
  configList:
    - exclude: true
      op_names: [fc2]
"""


def run(*words, seconds=300, **environment):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=seconds * PATIENCE,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment})


def records_of(part):
    """Bytes of the images and of the labels that a part of the data names, without their headers."""
    def read(name):
        content = Path(part[name]).read_bytes()
        return gzip.decompress(content) if part[name].endswith(".gz") else content

    labels = read("labels")[LABELS_HEADER:]
    begin, end = part.get("range", [0, len(labels)])
    return read("images")[IMAGES_HEADER + begin * 784:IMAGES_HEADER + end * 784], labels[begin:end]


class DeliveredFiles(LatheTest):
    """One experiment for all tests: on MNIST where MNIST_DIR names a folder with the test images, else on drawn digits."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            cls.make_experiment()
        except BaseException:
            cls._close()
            raise

    @classmethod
    def make_experiment(cls):
        cls.example = cls.folder / "delivered"
        cls.example.mkdir()
        train, test = cls.make_model()
        images, labels = records_of(test)
        cls.images, cls.labels = cls.example / "test-images.bin", cls.example / "test-labels.bin"
        cls.images.write_bytes(images)
        cls.labels.write_bytes(labels)
        config = cls.example / "experiment.yml"
        config.write_text(EXPERIMENT.format(model=cls.example / "lenet.pt", train=json.dumps(train), test=json.dumps(test)))
        made = run(program("lathectl"), "--url", cls.daemon.url, "create", "--config", config, "--wait")
        assert made.returncode == 0, made.stdout + made.stderr
        cls.experiment = cls.daemon.client.get("experiments")["items"][0]
        cls.trials = cls.daemon.client.trials(cls.experiment["id"])

    @classmethod
    def make_model(cls):
        """Trains LeNet; the two parts of its data."""
        if "MNIST_DIR" in os.environ:
            files = {name: str(Path(os.environ["MNIST_DIR"]) / f"t10k-{name}-{kind}-ubyte.gz")
                     for name, kind in (("images", "idx3"), ("labels", "idx1"))}
            made = run(program("lenet-example"), "--data", os.environ["MNIST_DIR"], "--model", cls.example / "lenet.pt")
            parts = {**files, "range": [0, 8000]}, {**files, "range": [8000, 10000]}
        else:
            made = run(program("lenet-example"), "--directory", cls.example, "--epochs", "2")
            data = cls.example / "data"
            parts = tuple({name: str(data / f"{part}-{name}-{kind}-ubyte") for name, kind in (("images", "idx3"), ("labels", "idx1"))}
                          for part in ("train", "test"))
        assert made.returncode == 0, made.stdout + made.stderr
        return parts

    def best(self, algorithm):
        """The best trial of the algorithm."""
        trials = [trial for trial in self.trials if trial["parameters"]["algorithm"]["_name"] == algorithm]
        self.assertEqual({trial["status"] for trial in trials}, {"SUCCEEDED"}, [trial.get("reason") for trial in trials])
        return max(trials, key=lambda trial: trial["finalMetric"]["default"])

    def download(self, trial, name):
        path = self.scratch / name
        result = self.lathectl("trial", "download", self.experiment["id"], trial["id"], "--file", name, "--filename", str(path))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertGreater(path.stat().st_size, 0)
        return path

    def judged(self, ended):
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        found = json.loads(ended.stdout)
        self.assertEqual(found["records"], len(self.labels.read_bytes()))
        return found["accuracy"]

    def in_torch(self, path):
        return self.judged(run(PYTHON, TORCH_ACCURACY, path, self.images, self.labels, SHAPE))

    def in_onnxruntime(self, path):
        return self.judged(run("node", ONNX / "accuracy.mjs", path, self.images, self.labels, SHAPE, ORT=self.onnxruntime()))

    def needs_torch(self):
        if not os.path.exists(PYTHON) or run(PYTHON, "-c", "import torch").returncode:
            self.skipTest("PYTHON3-TORCH IS NOT INSTALLED: what trials delivered was not run in PyTorch "
                          "(apt-get install --no-install-recommends python3-torch)")

    def onnxruntime(self):
        folder = os.environ.get("LATHE_ONNXRUNTIME", str(self.folder / "onnxruntime"))
        installed = run(ONNX / "install", folder)
        if installed.returncode == 3:
            self.skipTest(f"{installed.stdout.strip()}: what trials delivered was not run in it")
        self.assertEqual(installed.returncode, 0, installed.stderr)
        return folder

    def test_the_best_trial_is_one_of_these(self):
        self.assertEqual(len(self.trials), 4)
        best = max((self.best("l1"), self.best("qat")), key=lambda trial: trial["finalMetric"]["default"])
        reported = next(trial for trial in self.trials if trial["id"] == self.experiment["best"]["trialId"])
        self.assertEqual(reported["finalMetric"]["default"], best["finalMetric"]["default"])

    def test_the_pruned_model_in_pytorch(self):
        self.needs_torch()
        trial = self.best("l1")
        self.assertEqual(self.in_torch(self.download(trial, "compressed.pt")), trial["finalMetric"]["accuracy"])

    def test_the_pruned_model_in_onnxruntime(self):
        self.onnxruntime()
        trial = self.best("l1")
        record = 1 / len(self.labels.read_bytes())  # whose classes are a rounding apart
        self.assertLessEqual(abs(self.in_onnxruntime(self.download(trial, "compressed.onnx")) - trial["finalMetric"]["accuracy"]),
                             1.001 * record)

    def test_the_quantized_model_in_pytorch(self):
        self.needs_torch()
        trial = self.best("qat")
        found = self.in_torch(self.download(trial, "int8.pt"))
        self.assertAlmostEqual(found, trial["finalMetric"]["int8_accuracy"], places=9)
        self.assertLessEqual(abs(found - trial["finalMetric"]["accuracy"]), 0.3 * POINT)

    def test_the_quantized_model_in_onnxruntime(self):
        self.onnxruntime()
        trial = self.best("qat")
        found = self.in_onnxruntime(self.download(trial, "compressed.onnx"))
        self.assertLessEqual(abs(found - trial["finalMetric"]["accuracy"]), 0.3 * POINT)


if __name__ == "__main__":
    unittest.main()
