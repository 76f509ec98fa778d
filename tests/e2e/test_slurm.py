"""Trials as jobs of a real Slurm cluster, which is started for the test; lathe-agent is driven without a daemon."""

import os
import shutil
import tempfile
import time
import unittest
from pathlib import Path

from agent_client import AgentClient
from harness import is_alive, wait_for
from slurm_cluster import SlurmCluster, missing

METRIC = """metric() { local json="$1"; printf 'ME%06d%s\\n' $((${#json} + 1)) "$json" >> "$NNI_SYS_DIR/.nni/metrics"; }; """


class SlurmTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if missing():
            raise unittest.SkipTest(f"SLURM IS NOT INSTALLED: {', '.join(missing())}")
        cls.cluster = SlurmCluster(nodes=2, cpus=4)
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start()

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="lathe-slurm-e2e-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.agent = AgentClient(self.folder, self.environment()).start()
        self.addCleanup(self.agent.stop)

    def environment(self):
        """The cluster's, with a squeue that counts how often it is called."""
        environment = self.cluster.environment()
        squeue = self.folder / "bin" / "squeue"
        squeue.parent.mkdir()
        squeue.write_text(f'#!/bin/sh\necho >>{self.folder}/asked\nexec {shutil.which("squeue", path=environment["PATH"])} "$@"\n')
        squeue.chmod(0o755)
        return {**environment, "PATH": f"{squeue.parent}:{environment['PATH']}"}

    def asked(self):
        file = self.folder / "asked"
        return len(file.read_text()) if file.exists() else 0

    def state_of(self, job):
        return next((row["state"] for row in self.cluster.jobs() if row["id"] == str(job)), None)

    def fill(self):
        """Keeps all CPUs of the cluster busy; the ids of the jobs, to be cancelled."""
        jobs = [self.cluster.output("sbatch", "--parsable", "--exclusive", "--output=/dev/null", "--wrap=sleep 1000").strip()
                for _ in self.cluster.nodes]
        self.addCleanup(self.cluster.run, "scancel", *jobs, check=False)
        wait_for(lambda: all(self.state_of(job) == "RUNNING" for job in jobs), "the cluster is full", 20)
        return jobs

    # ---- the ordinary course -----------------------------------------------------------------------------------------

    def test_metrics_streams_environment_and_exit_code(self):
        folder = self.agent.trial("x/1/0", METRIC + "metric 1; echo out; echo err >&2; echo \"$GREETING from $SLURM_JOB_ID in $PWD\"; sleep 3; "
                                  "metric 2; exit 3", prologue="export GREETING='it''s me'")
        started = self.agent.wait_started("x/1/0")
        self.agent.wait_metrics("x/1/0", 1)
        self.assertFalse(self.agent.of("x/1/0", "trial_exited"))
        end = self.agent.wait_end("x/1/0")
        self.assertEqual((end.get("exit_code"), end["error"], end["lost"]), (3, "", False))
        self.assertEqual(self.agent.wait_metrics("x/1/0", 2), ["1", "2"])
        self.assertEqual((folder / "stdout").read_text(), f"out\nits me from {started['pid']} in {self.folder}\n")
        self.assertEqual(end["stderr_tail"], "err\n")
        self.assertIn("ended", (folder / "slurm").read_text())

    def test_a_signal_is_told_as_one(self):
        self.agent.trial("x/1/0", "kill -SEGV $$")
        self.assertEqual(self.agent.wait_end("x/1/0").get("signal"), 11)

    def test_a_burst_becomes_an_array_and_every_trial_has_its_own_end(self):
        count = 24
        before = {row["id"].split("_")[0] for row in self.cluster.jobs()}
        folders = [self.agent.trial(f"x/{i}/0", METRIC + f"metric {i}; echo out-{i}; echo err-{i} >&2; exit {i}") for i in range(count)]
        for i, folder in enumerate(folders):
            end = self.agent.wait_end(f"x/{i}/0", 120)
            self.assertEqual(end.get("exit_code"), i, end)
            self.assertEqual(self.agent.wait_metrics(f"x/{i}/0", 1), [str(i)])
            self.assertEqual((folder / "stdout").read_text(), f"out-{i}\n")
            self.assertEqual((folder / "stderr").read_text(), f"err-{i}\n")
        self.assertLessEqual(len({row["id"].split("_")[0] for row in self.cluster.jobs()} - before), 4)

    def test_why_a_job_waits_is_told(self):
        jobs = self.fill()
        folder = self.agent.trial("x/1/0", "exit 0")
        self.agent.wait_note("x/1/0", "PENDING: ")
        self.assertIn("PENDING: ", (folder / "slurm").read_text())
        self.assertFalse(self.agent.of("x/1/0", "trial_started"))
        self.cluster.run("scancel", *jobs)
        self.assertEqual(self.agent.wait_end("x/1/0", 60).get("exit_code"), 0)

    def test_what_slurm_refuses_ends_with_its_reason(self):
        self.agent.trial("x/1/0", "true", ["--partition=nosuch"])
        end = self.agent.wait_end("x/1/0")
        self.assertIn("Invalid partition name specified", end["error"])
        self.assertFalse(end["lost"])

    def test_a_prologue_may_give_up(self):
        folder = self.agent.trial("x/1/0", "echo ran", prologue="echo no such module >&2; exit 5")
        end = self.agent.wait_end("x/1/0")
        self.assertEqual((end.get("exit_code"), end["stderr_tail"]), (5, "no such module\n"))
        self.assertEqual((folder / "stdout").read_text(), "")

    # ---- ends from outside -------------------------------------------------------------------------------------------

    def test_a_kill_reaches_every_process_and_the_trial_may_clean_up(self):
        folder = self.agent.trial("x/1/0", "trap 'touch $NNI_SYS_DIR/cleaned; exit 9' TERM; sleep 1000 & echo $! > $NNI_SYS_DIR/child; wait")
        child = int(wait_for(lambda: (folder / "child").exists() and (folder / "child").read_text().strip(), "it runs", 30))
        self.agent.wait_started("x/1/0")
        self.agent.kill_trial("x/1/0")
        end = self.agent.wait_end("x/1/0")
        self.assertEqual((end.get("exit_code"), end["killed_by"], end["error"]), (9, "user", ""))
        self.assertTrue((folder / "cleaned").exists())
        wait_for(lambda: not is_alive(child), "the child has gone", 10)

    def test_a_trial_that_does_not_heed_sigterm_is_killed(self):
        folder = self.agent.trial("x/1/0", "trap '' TERM; echo $$ > $NNI_SYS_DIR/pid; while :; do sleep 0.1; done")
        pid = int(wait_for(lambda: (folder / "pid").exists() and (folder / "pid").read_text().strip(), "it runs", 30))
        self.agent.wait_started("x/1/0")
        self.agent.kill_trial("x/1/0", grace_ms=500)
        end = self.agent.wait_end("x/1/0", 60)
        self.assertEqual(end.get("signal"), 9)
        self.assertFalse(is_alive(pid))

    def test_a_waiting_job_is_cancelled(self):
        self.fill()
        self.agent.trial("x/1/0", "true")
        self.agent.wait_note("x/1/0", "PENDING")
        self.agent.kill_trial("x/1/0")
        end = self.agent.wait_end("x/1/0")
        self.assertEqual((end["killed_by"], end["error"]), ("user", ""))
        self.assertFalse(self.agent.of("x/1/0", "trial_started"))

    def test_scancel_by_hand_is_a_failure_that_says_so(self):
        self.agent.trial("x/1/0", "sleep 1000")
        job = self.agent.wait_started("x/1/0")["pid"]
        self.cluster.run("scancel", str(job))
        end = self.agent.wait_end("x/1/0", 60)
        self.assertIn("cancelled in Slurm", end["error"])
        self.assertFalse(end["lost"])
        self.assertEqual(end["killed_by"], "")

    def test_scancel_of_a_whole_waiting_array(self):
        self.fill()
        for i in range(3):
            self.agent.trial(f"x/{i}/0", "true")
        for i in range(3):
            self.agent.wait_note(f"x/{i}/0", "PENDING")
        arrays = {row["id"].split("_")[0] for row in self.cluster.jobs() if row["state"] == "PENDING"}
        self.cluster.run("scancel", *arrays)
        for i in range(3):
            self.assertIn("cancelled in Slurm", self.agent.wait_end(f"x/{i}/0")["error"])

    def test_a_time_limit_is_a_failure_that_says_so(self):
        self.agent.trial("x/1/0", "sleep 1000", ["--time=1"])
        job = self.agent.wait_started("x/1/0")["pid"]
        self.assertEqual(self.state_of(job), "RUNNING")
        end = self.agent.wait_end("x/1/0", 180)
        self.assertIn("time limit", end["error"])
        self.assertFalse(end["lost"])

    # ---- things that break -------------------------------------------------------------------------------------------

    def test_a_node_that_goes_down_loses_its_trial(self):
        self.agent.trial("x/1/0", "sleep 1000", [f"--nodelist={self.cluster.nodes[0]}"])
        self.agent.wait_started("x/1/0")
        self.addCleanup(self.cluster.run, "scontrol", "update", f"nodename={self.cluster.nodes[0]}", "state=resume", check=False)
        self.cluster.run("scontrol", "update", f"nodename={self.cluster.nodes[0]}", "state=down", "reason=test")
        end = self.agent.wait_end("x/1/0", 60)
        self.assertTrue(end["lost"], end)
        self.assertIn("NODE_FAIL", end["error"])

    def test_a_controller_that_is_away_ends_nothing(self):
        folder = self.agent.trial("x/1/0", METRIC + "while [ ! -e $NNI_SYS_DIR/go ]; do sleep 0.1; done; metric 1; exit 6")
        self.agent.wait_started("x/1/0")
        self.cluster.stop_controller()
        self.addCleanup(lambda: "slurmctld" in self.cluster.processes or self.cluster.start_controller())
        self.agent.wait_note("x/1/0", "Slurm cannot be asked", 120)
        self.agent.trial("x/2/0", "exit 7")
        (folder / "go").touch()
        self.agent.wait_metrics("x/1/0", 1)
        wait_for(lambda: any(folder.glob(".slurm/*/exit")), "the trial has ended", 20)
        before = self.asked()
        self.agent.wait_until(lambda: self.asked() >= before + 2, "Slurm has been asked in vain since", 120)
        self.agent.wait_note("x/1/0", "Slurm cannot be asked")
        self.assertFalse(self.agent.of("x/1/0", "trial_exited"))
        self.cluster.start_controller()
        self.assertEqual(self.agent.wait_end("x/1/0", 120).get("exit_code"), 6)
        self.assertEqual(self.agent.wait_end("x/2/0", 180).get("exit_code"), 7)

    def test_a_controller_that_forgets_a_start_runs_nothing_twice(self):
        """It ends what runs, and would start the job anew."""
        folder = self.agent.trial("x/1/0", "echo ran >> $NNI_SYS_DIR/runs; sleep 1000", ["--begin=now+1hour"])
        self.agent.wait_note("x/1/0", "PENDING: BeginTime")
        job = self.cluster.jobs()[-1]
        wait_for(lambda: self.cluster.has_saved(job["comment"]), "the controller has saved the job", 30)
        saved = self.cluster.save_state()
        self.cluster.run("scontrol", "update", f"JobId={job['id']}", "StartTime=now")
        self.agent.wait_started("x/1/0")
        self.cluster.kill_controller()
        self.addCleanup(lambda: "slurmctld" in self.cluster.processes or self.cluster.start_controller())
        self.cluster.forget_since(saved)
        self.cluster.start_controller()
        end = self.agent.wait_end("x/1/0", 120)
        self.assertTrue(end["lost"], end)
        self.assertIn("back into its queue", end["error"])
        wait_for(lambda: self.state_of(job["id"]) not in ("PENDING", "RUNNING"), "the job does not wait any more", 30)
        self.assertEqual((folder / "runs").read_text(), "ran\n")

    def test_jobs_outlive_agents(self):
        folder = self.agent.trial("x/1/0", METRIC + "metric 1; while [ ! -e $NNI_SYS_DIR/go ]; do sleep 0.1; done; metric 2; exit 4")
        self.agent.wait_metrics("x/1/0", 1)
        for _ in range(2):
            self.agent.kill()
            self.agent.start()
            self.assertEqual(self.agent.hello["running"], ["x/1/0"])
        self.agent.kill()
        (folder / "go").touch()
        wait_for(lambda: any(folder.glob(".slurm/*/exit")), "the trial has ended without an agent", 20)
        self.agent.start()
        self.assertEqual(self.agent.wait_end("x/1/0").get("exit_code"), 4)
        self.assertEqual(self.agent.wait_metrics("x/1/0", 2), ["1", "2"])

    def test_agents_killed_anywhere_run_nothing_twice(self):
        count, folders = 6, []
        for turn in range(count):
            folders.append(self.agent.trial(f"x/{turn}/0", "echo ran >> $NNI_SYS_DIR/runs; exit 5"))
            time.sleep(0.03 * turn)
            self.agent.kill()
            self.agent.start()
        for turn, folder in enumerate(folders):
            self.agent.trial(f"x/{turn}/0", "echo ran >> $NNI_SYS_DIR/runs; exit 5") if not self.known(f"x/{turn}/0") else None
            end = self.agent.wait_end(f"x/{turn}/0", 60)
            runs = (folder / "runs").read_text() if (folder / "runs").exists() else ""
            if end["lost"]:
                self.assertEqual(runs, "", end)
            else:
                self.assertEqual((end.get("exit_code"), runs), (5, "ran\n"), end)
        wait_for(lambda: all(row["state"] not in ("PENDING", "RUNNING") for row in self.cluster.jobs()), "no job is left", 30)
        for folder in folders:
            self.assertLessEqual((folder / "runs").read_text() if (folder / "runs").exists() else "", "ran\n")

    def known(self, trial_id):
        return trial_id in self.agent.hello["running"] or any(event["trial_id"] == trial_id for event in self.agent.events.values())


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    unittest.main()
