"""The MNIST example over three machines, of which one dies half-way. MNIST_DIR names the folder of its files."""

import json
import os
import subprocess
import unittest
from pathlib import Path

from harness import ENDED_TRIAL, PATIENCE, ROOT, program, wait_for
from test_remote_hosts import RemoteTest

EXAMPLE = ROOT / "examples" / "mnist" / "experiment.yml"


class MnistOverSsh(RemoteTest):
    count = 3

    def setUp(self):
        if not os.environ.get("MNIST_DIR"):
            raise unittest.SkipTest("MNIST_DIR IS NOT SET: the MNIST example was not run")
        super().setUp()
        subprocess.run([program("lenet-example"), "--data", os.environ["MNIST_DIR"], "--model", str(self.code / "lenet.pt")], check=True,
                       capture_output=True, timeout=300 * PATIENCE)

    def experiment(self):
        """The example as it is, but for where it runs and three trials at once."""
        text = EXAMPLE.read_text().replace("trialConcurrency: 2", "trialConcurrency: 3")
        assert "trainingService" not in text and "trialConcurrency: 3" in text
        return text + f"trialCodeDirectory: {self.code}\ntrainingService: {json.dumps(self.hosts.service(slots=1))}\n"

    def running_on(self, experiment, host):
        return [trial["id"] for trial in self.client.trials(experiment, status="RUNNING") if trial["host"] == host.name]

    def test_a_machine_that_dies_half_way_costs_no_trial(self):
        experiment = self.client.create(self.experiment(), self.code)["id"]
        lost = self.hosts[1]

        def half_way():
            ended = [trial for trial in self.client.trials(experiment) if trial["status"] in ENDED_TRIAL]
            return len(ended) >= 5 and self.running_on(experiment, lost)

        hit = wait_for(half_way, "half of the trials have ended and one runs on the second machine", 300)
        lost.power_off()
        done = self.client.wait_status(experiment, "DONE", 300)
        self.assertEqual(done["counts"], {**done["counts"], "SUCCEEDED": 12})
        self.assertEqual(done["baseline"]["parameters"], 431080)
        trials = {trial["id"]: self.trial(experiment, trial["id"]) for trial in self.client.trials(experiment)}
        self.assertEqual(len(trials), 12)
        for trial in hit:
            self.assertEqual([(attempt["attempt"], attempt["host"]) for attempt in trials[trial]["attempts"]], [(0, lost.name)])
            self.assertNotEqual(trials[trial]["host"], lost.name)
        self.assertEqual({trial["host"] for trial in trials.values()} - {lost.name}, {self.hosts[0].name, self.hosts[2].name})
        for trial in trials.values():
            self.assertGreater(trial["finalMetric"]["accuracy"], 0.9)
            self.assertTrue((Path(trial["directory"]) / "compressed.pt").exists())


if __name__ == "__main__":
    unittest.main()
