"""Whole experiments whose trials are jobs of an OpenPAI that is played by fake_pai.py."""

import json
import os
import signal
import subprocess
import unittest
from pathlib import Path

from fake_pai import FakePai
from harness import BASH_REPORT, PATIENCE, LatheTest, config, is_alive, program, wait_for

MOUNT = "/mnt/lathe-nfs"
TOKEN = "eyJ.first-token"
LEFT = {0.5: 109295, 0.75: 29153}  # parameters of LeNet with (10, 25, 250) and (5, 13, 125) of its (20, 50, 500) filters


class OnPai(LatheTest):
    """A daemon whose experiments lie on the storage by a link."""

    own_daemon = True

    def setUp(self):
        super().setUp()
        self.storage = self.folder / "storage"
        self.storage.mkdir()
        # Before the first experiment, as docs/pai.md has it done.
        experiments = self.daemon.data / "experiments"
        experiments.rmdir()
        (self.storage / "experiments").mkdir()
        experiments.symlink_to(self.storage / "experiments")
        self.pai = FakePai(self.storage, MOUNT)
        self.pai.token = TOKEN
        self.pai.open()
        self.addCleanup(self.pai.kill_all)
        self.addCleanup(lambda: self.pai.close())

    def service(self, **more):
        return {"platform": "openpai", "host": self.pai.url, "username": "ana", "token": TOKEN, "trialMemorySize": "1 gb",
                "storageConfigName": "nfs", "localStorageMountPoint": str(self.storage), "containerStorageMountPoint": MOUNT, **more}


class PaiExperiment(OnPai):
    def experiment(self, script, **more):
        (self.scratch / "trial.sh").write_text(BASH_REPORT + script)
        return config("bash trial.sh", trialCodeDirectory=str(self.scratch), trainingService=self.service(), **more)

    def gated_experiment(self, **more):
        return self.experiment(f'echo "$NNI_TRIAL_JOB_ID" >>{self.scratch}/runs\nreport PERIODICAL 0 0.5\n'
                               f"while [ ! -e {self.scratch}/gate ]; do sleep 0.05; done\nreport FINAL 0 1\n", **more)

    def runs(self):
        file = self.scratch / "runs"
        return file.read_text().split() if file.exists() else []

    def test_trials_run_to_done(self):
        experiment = self.run_to(self.experiment('pwd\nreport PERIODICAL 0 0.25\nreport FINAL 0 0.75\n', trialGpuNumber=1, maxTrialNumber=4,
                                                 trialConcurrency=2), seconds=120)
        trials = self.client.trials(experiment["id"])
        host = "pai:ana@" + self.pai.url.split("//")[1]
        self.assertEqual({(trial["status"], trial["metric"], trial["intermediateCount"], trial["host"]) for trial in trials},
                         {("SUCCEEDED", 0.75, 1, host)})
        for trial in trials:
            self.assertTrue(Path(trial["directory"], "stdout").read_text().endswith(f"/trials/{trial['id']}/code\n"))
        for job in self.pai.jobs.values():
            self.assertEqual(job.protocol["taskRoles"]["trial"]["resourcePerInstance"], {"gpu": 1, "cpu": 1, "memoryMB": 1024})

    def test_the_token_is_in_its_file_alone(self):
        experiment = self.client.create(self.gated_experiment(maxTrialNumber=1, trialConcurrency=1))["id"]
        wait_for(self.runs, "it runs", 60)
        files = [path for path in self.folder.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
        self.assertEqual([path.parent for path in files], [self.daemon.data / "secrets"])
        self.assertEqual(files[0].stat().st_mode & 0o777, 0o600)
        for path in ("", "/trials"):
            self.assertNotIn(TOKEN, self.client.request("GET", f"experiments/{experiment}{path}").text)
        self.assertNotIn(TOKEN, self.client.request("GET", "hosts").text)
        for pid in self.daemon.processes():
            self.assertNotIn(TOKEN.encode(), Path(f"/proc/{pid}/cmdline").read_bytes())
        self.open_gate()
        self.client.wait_status(experiment, "DONE", 60)

    def test_why_a_job_waits_is_the_trials_reason_to_wait(self):
        self.pai.runs = False
        experiment = self.client.create(self.experiment("report FINAL 0 1\n", maxTrialNumber=1, trialConcurrency=1))["id"]

        def reason():
            return next((trial.get("waitReason", "") for trial in self.client.trials(experiment)), "")

        wait_for(lambda: "uses 8 of 8 GPUs" in reason(), "the trial tells PAI's reason", 60)
        self.pai.runs = True
        with self.pai.lock:
            self.pai.run(self.pai.only)
        self.client.wait_status(experiment, "DONE", 60)

    def test_stopping_stops_what_waits_and_what_runs(self):
        experiment = self.client.create(self.gated_experiment(maxTrialNumber=3, trialConcurrency=3))["id"]
        wait_for(lambda: len(self.runs()) == 3, "all run", 60)
        self.client.post(f"experiments/{experiment}/stop")
        self.client.wait_status(experiment, "STOPPED", 60)
        wait_for(lambda: all(job.process is None for job in self.pai.jobs.values()), "no container is left", 30)
        self.assertEqual({trial["status"] for trial in self.client.trials(experiment)}, {"USER_CANCELED"})

    def test_a_killed_daemon_and_a_killed_agent_go_on_with_their_jobs(self):
        experiment = self.client.create(self.gated_experiment(maxTrialNumber=2, trialConcurrency=2))["id"]
        wait_for(lambda: len(self.runs()) == 2, "both run", 60)
        agent = int(next(self.daemon.data.glob("agents/pai-*/lock")).read_text().split()[0])
        self.daemon.kill()
        os.kill(agent, signal.SIGKILL)
        wait_for(lambda: not is_alive(agent), "the agent is gone", 10)
        self.daemon.start()
        self.open_gate()
        self.client.wait_status(experiment, "DONE", 90)
        trials = self.client.trials(experiment)
        self.assertEqual({(trial["status"], trial["attempt"], trial["intermediateCount"]) for trial in trials}, {("SUCCEEDED", 0, 1)})
        self.assertEqual(sorted(self.runs()), sorted(trial["id"] for trial in trials))

    def test_a_new_token_comes_with_a_new_experiment(self):
        self.pai.token = "eyJ.second-token"
        first = self.client.create(self.experiment("report FINAL 0 1\n", maxTrialNumber=1, trialConcurrency=1))["id"]
        wait_for(lambda: any("does not accept the token" in trial.get("waitReason", "") for trial in self.client.trials(first)), "that is told", 60)
        body = self.experiment("report FINAL 0 1\n", maxTrialNumber=1, trialConcurrency=1)
        body["trainingService"]["token"] = self.pai.token
        second = self.client.create(body)["id"]
        for experiment in (first, second):
            self.client.wait_status(experiment, "DONE", 120)

    def test_experiments_that_are_not_on_the_storage_say_so(self):
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        body = self.experiment("report FINAL 0 1\n", maxTrialNumber=1, trialConcurrency=1)
        body["trainingService"]["localStorageMountPoint"] = str(elsewhere)
        experiment = self.run_to(body, seconds=60)
        self.assertIn("is not on the storage that the containers see", self.client.trials(experiment["id"])[0]["reason"])


class PaiCompression(OnPai):
    """The built-in trial in containers that have lathe-trial; model and data are on the storage."""

    def compression(self):
        example = self.storage / "lenet"
        example.mkdir()
        subprocess.run([program("lenet-example"), "--directory", str(example), "--epochs", "1"], check=True, capture_output=True,
                       timeout=120 * PATIENCE)

        def part(name):
            return {"images": str(example / f"data/{name}-images-idx3-ubyte"), "labels": str(example / f"data/{name}-labels-idx1-ubyte"),
                    "range": [0, 500]}

        return {"model": str(example / "lenet.pt"), "inputShape": [1, 1, 28, 28],
                "data": {"format": "idx", "train": part("train"), "test": part("test")}, "finetuning": {"epochs": 1},
                "latency": {"runs": 3, "warmup": 1}, "configList": [{"exclude": True, "op_names": ["fc2"]}]}

    def test_model_and_report_come_back(self):
        experiment = self.run_to({
            "searchSpace": {"algorithm": {"_type": "choice", "_value": [{"_name": "l1", "sparsity": {"_type": "choice", "_value": [0.5, 0.75]}}]}},
            "trialConcurrency": 2, "maxTrialNumber": 2, "tuner": {"name": "Random", "classArgs": {"seed": 1}},
            "trainingService": self.service(), "compression": self.compression(),
        }, seconds=240)
        self.assertEqual(experiment["baseline"]["parameters"], 431080)
        trials = self.client.trials(experiment["id"])
        self.assertEqual({trial["status"] for trial in trials}, {"SUCCEEDED"}, [trial.get("reason") for trial in trials])
        self.assertEqual(len(self.pai.jobs), 3, "the original was measured in a container, too")
        self.assertEqual({trial["parameters"]["algorithm"]["sparsity"] for trial in trials}, {0.5, 0.75})
        for trial in trials:
            left = trial["finalMetric"]["parameters"]
            self.assertEqual(left, LEFT[trial["parameters"]["algorithm"]["sparsity"]])
            folder = Path(trial["directory"])
            self.assertTrue((folder / "compressed.pt").resolve().is_relative_to(self.storage))
            self.assertEqual(json.loads((folder / "report.json").read_text())["metrics"]["parameters"], left)
            self.assertIn(f"export LATHE_COMPRESSION_CONFIG='{MOUNT}/", (folder / "pai.sh").read_text())
            model = self.client.request("GET", f"experiments/{experiment['id']}/trials/{trial['id']}/files/compressed.pt")
            self.assertEqual((model.status, model.body), (200, (folder / "compressed.pt").read_bytes()))


if __name__ == "__main__":
    unittest.main()
