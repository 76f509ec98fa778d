"""`lathectl inspect` and `lathectl compress`: on the LeNet example, with no daemon anywhere."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import PATIENCE, program, wait_for


def lathectl(*arguments, seconds=300):
    return subprocess.run([program("lathectl"), "--url", "http://127.0.0.1:1", *map(str, arguments)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=seconds * PATIENCE)


class LocalCommands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.example = Path(tempfile.mkdtemp(prefix="lathe-e2e-local-"))
        cls.addClassCleanup(shutil.rmtree, cls.example, ignore_errors=True)
        subprocess.run([program("lenet-example"), "--directory", cls.example, "--epochs", "1"], check=True, capture_output=True,
                       timeout=180 * PATIENCE)
        cls.model = cls.example / "lenet.pt"

    def setUp(self):
        self.before = hashlib.sha256(self.model.read_bytes()).hexdigest()
        self.files = sorted(path.name for path in self.example.iterdir())

    def tearDown(self):
        self.assertEqual(hashlib.sha256(self.model.read_bytes()).hexdigest(), self.before, "the original was touched")
        for path in self.example.glob("out*"):
            shutil.rmtree(path)
        self.assertEqual(sorted(path.name for path in self.example.iterdir()), self.files, "something was left behind")

    def ok(self, *arguments):
        ended = lathectl(*arguments)
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        return ended.stdout

    def refused(self, *arguments, code=1):
        ended = lathectl(*arguments)
        self.assertEqual(ended.returncode, code, ended.stdout + ended.stderr)
        self.assertEqual(ended.stdout, "")
        return ended.stderr

    def test_inspect_without_input(self):
        text = self.ok("inspect", self.model)
        self.assertIn("50x20x5x5", text)
        self.assertIn("431080", text)
        self.assertIn("--input-shape", text)

    def test_inspect_with_a_shape(self):
        found = json.loads(self.ok("inspect", self.model, "--input-shape", "2,1,28,28", "--json"))
        self.assertEqual(found["parameters"], 431080)
        self.assertEqual(found["macs"], 20 * 25 * 576 + 50 * 500 * 64 + 800 * 500 + 5000)
        self.assertGreater(found["operations"], found["macs"])
        layers = {layer["name"]: layer for layer in found["layers"]}
        self.assertEqual(layers["conv2"]["weight_shape"], [50, 20, 5, 5])
        self.assertEqual(layers["conv2"]["output_shape"], [2, 50, 8, 8])
        self.assertEqual(layers["fc1"]["macs"], 400000)
        groups = {group["makers"][0]: (group["channels"], group["fixed"], group["readers"]) for group in found["groups"]}
        self.assertEqual(groups, {"conv1": (20, 0, ["conv2"]), "conv2": (50, 0, ["fc1"]), "fc1": (500, 0, ["fc2"]), "fc2": (10, 0, [])})
        *cut, last = [group["holders"] for group in found["groups"]]
        self.assertEqual(cut, [[]] * 3)
        self.assertEqual(last[0]["channels"], 10)
        self.assertIn("aten::log_softmax", last[0]["place"])
        self.assertEqual(found, json.loads(self.ok("-o", "json", "inspect", self.model, "--input-shape", "2,1,28,28")))
        text = self.ok("inspect", self.model, "--input-shape", "2,1,28,28")
        self.assertIn("2x50x8x8", text)
        self.assertIn("500 channels: fc1 -> fc2", text)
        self.assertIn("10 channels: fc2\n    10 stay, held by aten::log_softmax", text)

    def test_inspect_refuses(self):
        self.assertIn("no-such.pt", self.refused("inspect", self.example / "no-such.pt"))
        self.assertIn("torch.jit.script", self.refused("inspect", self.example / "l1.yml"))
        message = self.refused("inspect", self.model, "--input-shape", "1,3,28,28")
        self.assertIn("lenet.pt: ", message)
        self.assertIn("does not run on this input", message)
        self.assertIn("1,x", self.refused("inspect", self.model, "--input-shape", "1,x"))
        self.assertIn("torch.save", self.refused("inspect", self.model, "--input", self.model))
        self.assertIn("model is required", self.refused("inspect", code=2))

    def test_compress(self):
        out = self.example / "out"
        ended = lathectl("compress", "--config", self.example / "l1.yml", "--output", out)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        lines = {line.split("  ")[0]: line.split() for line in ended.stdout.splitlines()}
        self.assertEqual(lines["parameters"][1:3], ["431080", "109295"])
        self.assertEqual(lines["multiply-accumulates"][1:3], ["2293000", "646500"])
        self.assertIn("accuracy", lines)
        self.assertIn("epoch 1/1", ended.stderr)
        report = json.loads((out / "report.json").read_text())
        self.assertEqual(report["metrics"]["parameters"], 109295)
        self.assertEqual(report["costs"]["size_bytes"]["compressed"], (out / "compressed.pt").stat().st_size)
        latency = report["costs"]["latency"]
        self.assertLessEqual(latency["speedup_low"], latency["speedup_high"])
        smaller = json.loads(self.ok("inspect", out / "compressed.pt", "-o", "json"))
        self.assertEqual(smaller["parameters"], 109295)
        self.assertFalse((out / ".work").exists())
        self.assertIn("is there already", self.refused("compress", "--config", self.example / "l1.yml", "--output", out))

    def test_compress_with_parameters(self):
        out = self.example / "out"
        shutil.copy(self.model, self.example / "other.pt")
        self.addCleanup((self.example / "other.pt").unlink)
        self.files = sorted([*self.files, "other.pt"])
        parameters = json.dumps({"algorithm": {"_name": "level", "sparsity": 0.8}})
        report = json.loads(self.ok("-o", "json", "compress", self.example / "other.pt", "-c", self.example / "experiment.yml", "-d", out,
                                    "--parameters", parameters))
        self.assertEqual(report["algorithm"], "level")
        self.assertGreater(report["metrics"]["sparsity"], 0.75)
        self.assertEqual(report, json.loads((out / "report.json").read_text()))

    def test_compress_refuses(self):
        out = self.example / "out"
        refused = lambda *more: self.refused("compress", "--output", out, *more)
        self.assertIn("--parameters", refused("--config", self.example / "experiment.yml"))
        self.assertIn("no-such.yml", refused("--config", self.example / "no-such.yml"))
        self.assertIn("no-such.pt", refused(self.example / "no-such.pt", "--config", self.example / "l1.yml"))
        self.assertIn("JSON object", refused("--config", self.example / "l1.yml", "--parameters", "[1]"))
        message = refused("--config", self.example / "l1.yml", "--parameters", '{"a": {"_name": "l1", "conv9.sparsity": 0.5}}')
        self.assertIn("conv9", message)
        self.assertFalse(out.exists())

    def test_interrupted_it_leaves_nothing(self):
        out = self.example / "out"
        parameters = json.dumps({"algorithm": {"_name": "agp", "conv2.sparsity": 0.5, "parameter::num_iterations": 1000}})
        running = subprocess.Popen([program("lathectl"), "compress", "--config", self.example / "l1.yml", "--output", out, "--parameters",
                                    parameters], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.addCleanup(running.communicate)
        self.addCleanup(running.kill)  # runs first
        wait_for(lambda: list(self.example.glob(".out.*/.work/baseline.json")), "the original is measured", 60)
        os.killpg(running.pid, signal.SIGINT)
        self.assertEqual(running.wait(60 * PATIENCE), 130)
        self.assertFalse(out.exists())


if __name__ == "__main__":
    unittest.main()
