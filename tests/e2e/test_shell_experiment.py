"""Experiments whose trials are shell commands, from creation to DONE."""

import json
import os
import unittest
from pathlib import Path

from harness import LatheTest


class ShellExperiment(LatheTest):
    def test_bash_trials_run_to_done(self):
        body = self.bash("report PERIODICAL 0 0.25\nreport PERIODICAL 1 0.5\nreport FINAL 0 0.75\n")
        experiment = self.run_to(body)
        trials = self.client.trials(experiment["id"])
        self.assertEqual([t["sequence"] for t in trials], [0, 1, 2, 3])
        self.assertEqual({t["status"] for t in trials}, {"SUCCEEDED"})
        self.assertEqual({t["metric"] for t in trials}, {0.75})
        self.assertEqual({t["intermediateCount"] for t in trials}, {2})
        self.assertEqual(experiment["counts"]["SUCCEEDED"], 4)
        self.assertEqual(len({t["id"] for t in trials}), 4)
        self.assertLessEqual(experiment["startTime"], experiment["endTime"])
        reports = [(m["type"], m["sequence"], m["value"]) for m in self.client.metrics(experiment["id"], trials[0]["id"])]
        self.assertCountEqual(reports, [("PERIODICAL", 0, 0.25), ("PERIODICAL", 1, 0.5), ("FINAL", 0, 0.75)])

    def test_each_trial_gets_the_parameters_that_are_recorded(self):
        body = self.python('report("FINAL", 0, {"default": parameters["x"], "twice": 2 * parameters["x"]})\n', trialConcurrency=4, maxTrialNumber=12)
        experiment = self.run_to(body)
        trials = self.client.trials(experiment["id"])
        self.assertEqual(len(trials), 12)
        for trial in trials:
            self.assertEqual(trial["metric"], trial["parameters"]["x"])
            self.assertEqual(trial["finalMetric"], {"default": trial["metric"], "twice": 2 * trial["metric"]})
        best = max(trials, key=lambda t: t["metric"])
        self.assertEqual(experiment["best"], {"trialId": best["id"], "metric": best["metric"]})

    def test_minimising_picks_the_smallest(self):
        body = self.python('report("FINAL", 0, parameters["x"])\n', tuner={"name": "TPE", "classArgs": {"optimize_mode": "minimize", "seed": 1}})
        experiment = self.run_to(body)
        self.assertEqual(experiment["best"]["metric"], min(t["metric"] for t in self.client.trials(experiment["id"])))

    def test_environment_and_folders(self):
        body = self.bash('env > "$NNI_OUTPUT_DIR/env.txt"; pwd; echo to-stderr >&2; report FINAL 0 1\n', maxTrialNumber=1)
        experiment = self.run_to(body)
        trial = self.client.trials(experiment["id"])[0]
        folder = Path(trial["directory"])
        pairs = dict(line.split("=", 1) for line in (folder / "env.txt").read_text().splitlines() if "=" in line)
        for name, value in {"NNI_PLATFORM": "local", "NNI_EXP_ID": experiment["id"], "NNI_TRIAL_JOB_ID": trial["id"], "NNI_TRIAL_SEQ_ID": "0",
                            "LATHE_EXPERIMENT_ID": experiment["id"], "LATHE_TRIAL_ID": trial["id"]}.items():
            self.assertEqual(pairs.get(name), value, name)
        for name in ("NNI_SYS_DIR", "NNI_OUTPUT_DIR", "LATHE_TRIAL_DIRECTORY"):
            self.assertTrue(os.path.samefile(pairs[name], folder), name)
        record = json.loads((folder / "parameter.cfg").read_text())
        self.assertEqual(record["parameters"], trial["parameters"])
        self.assertTrue(os.path.samefile((folder / "stdout").read_text().strip(), self.scratch))
        self.assertEqual((folder / "stderr").read_text(), "to-stderr\n")
        self.assertTrue(os.path.samefile(Path(experiment["directory"]) / "best", folder))

    def test_metrics_that_are_not_numbers(self):
        body = self.python('report("PERIODICAL", 0, float("nan"))\nreport("FINAL", 0, {"default": float("inf"), "loss": 3})\n', maxTrialNumber=1)
        experiment = self.run_to(body)
        trial = self.client.trials(experiment["id"])[0]
        self.assertEqual(trial["status"], "SUCCEEDED")
        self.assertNotIn("metric", trial)
        self.assertEqual(trial["finalMetric"], {"default": "Infinity", "loss": 3})
        self.assertNotIn("best", experiment)

    def test_a_burst_of_metrics_arrives_whole(self):
        body = self.python('for i in range(2000):\n    report("PERIODICAL", i, i)\nreport("FINAL", 0, 1)\n', maxTrialNumber=1)
        experiment = self.run_to(body)
        self.assertEqual(self.client.trials(experiment["id"])[0]["intermediateCount"], 2000)


if __name__ == "__main__":
    unittest.main()
