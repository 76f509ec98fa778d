"""The daemon dies or stops: nothing is lost, nothing counts twice."""

import subprocess
import unittest

from harness import LatheTest, is_alive, program, wait_for


class Recovery(LatheTest):
    own_daemon = True

    def assert_each_ran_once(self, experiment, count):
        trials = self.client.trials(experiment)
        self.assertEqual([t["sequence"] for t in trials], list(range(count)))
        self.assertEqual({t["status"] for t in trials}, {"SUCCEEDED"})
        for trial in trials:
            runs = (self.scratch / f"runs-{trial['id']}").read_text().splitlines()
            self.assertEqual(len(runs), 1, f"trial {trial['id']} ran {len(runs)} times")
            metrics = self.client.metrics(experiment, trial["id"])
            self.assertCountEqual([(m["type"], m["sequence"]) for m in metrics], [("PERIODICAL", 0), ("PERIODICAL", 1), ("FINAL", 0)])
            self.assertEqual(trial["intermediateCount"], 2)
        return trials

    def counted(self, **more):
        """Gated trials that count their runs and report before and after the gate."""
        return self.bash('echo run >> "runs-$NNI_TRIAL_JOB_ID"\nreport PERIODICAL 0 0.1\ntouch "started-$NNI_TRIAL_JOB_ID"\n'
                         "while [ ! -e gate ]; do sleep 0.05; done\nreport PERIODICAL 1 0.2\nreport FINAL 0 0.3\n", **more)

    def test_a_killed_daemon_adopts_the_running_trials(self):
        experiment = self.client.create(self.counted(maxTrialNumber=5))["id"]
        running = sorted(self.started(2))
        pids = {t: self.client.pid(experiment, t) for t in running}
        self.daemon.kill()
        for pid in pids.values():
            self.assertTrue(is_alive(pid), "trials outlive a killed daemon")
        self.daemon.start()
        adopted = self.client.wait_trials(experiment, 2, status="RUNNING")
        self.assertEqual({t["id"]: t["pid"] for t in adopted}, pids)
        self.assertEqual({t["attempt"] for t in adopted}, {0})
        self.open_gate()
        self.client.wait_status(experiment, "DONE", 30)
        self.assert_each_ran_once(experiment, 5)

    def test_trials_that_end_while_the_daemon_is_dead_are_counted(self):
        experiment = self.client.create(self.counted(maxTrialNumber=4))["id"]
        pids = [self.client.pid(experiment, t) for t in self.started(2)]
        self.daemon.kill()
        self.open_gate()
        for pid in pids:
            wait_for(lambda: not is_alive(pid), "the trial has ended")
        self.daemon.start()
        self.client.wait_status(experiment, "DONE", 30)
        self.assert_each_ran_once(experiment, 4)

    def test_kills_at_any_moment(self):
        experiment = self.client.create(self.bash('echo run >> "runs-$NNI_TRIAL_JOB_ID"\nreport PERIODICAL 0 1\nreport PERIODICAL 1 2\nreport FINAL 0 1\n',
                                                  maxTrialNumber=200, trialConcurrency=4))["id"]
        for target in (10, 40, 80, 120):
            wait_for(lambda: self.client.experiment(experiment)["counts"]["SUCCEEDED"] >= target, f"{target} trials", 30)
            self.daemon.kill()
            self.daemon.start()
        self.client.wait_status(experiment, "DONE", 60)
        self.assert_each_ran_once(experiment, 200)

    def test_sigterm_is_clean_and_work_goes_on_later(self):
        experiment = self.client.create(self.gated(maxTrialNumber=3))["id"]
        pids = [self.client.pid(experiment, t) for t in self.started(2)]
        self.assertEqual(self.daemon.terminate(), 0)
        for pid in pids:
            self.assertFalse(is_alive(pid), "a clean stop ends the trials")
        self.open_gate()
        self.daemon.start()
        done = self.client.wait_status(experiment, "DONE", 30)
        self.assertEqual(done["counts"]["SUCCEEDED"], 3)
        self.assertEqual(sorted(t["attempt"] for t in self.client.trials(experiment)), [0, 1, 1])

    def test_one_daemon_for_one_folder(self):
        second = subprocess.run(self.daemon.command(), capture_output=True, text=True, timeout=20, env=self.daemon.environment())
        self.assertNotEqual(second.returncode, 0)
        self.assertIn(str(self.daemon.data), second.stdout + second.stderr)

    def test_a_port_in_use_is_named(self):
        other = [program("lathed"), "--port", str(self.daemon.port), "--data-dir", str(self.folder / "other")]
        second = subprocess.run(other, capture_output=True, text=True, timeout=20, env=self.daemon.environment())
        self.assertEqual(second.returncode, 3)
        self.assertIn(f"port {self.daemon.port} is in use", second.stdout + second.stderr)
        self.assertIn("--port", second.stdout + second.stderr)


class KeepTrials(LatheTest):
    own_daemon = True
    daemon_arguments = ("--keep-trials",)

    def test_trials_live_through_a_restart(self):
        experiment = self.client.create(self.gated(maxTrialNumber=2))["id"]
        pids = {t: self.client.pid(experiment, t) for t in self.started(2)}
        self.assertEqual(self.daemon.terminate(), 0)
        for pid in pids.values():
            self.assertTrue(is_alive(pid))
        self.daemon.start()
        self.assertEqual({t["id"]: t["pid"] for t in self.client.wait_trials(experiment, 2, status="RUNNING")}, pids)
        self.open_gate()
        self.client.wait_status(experiment, "DONE")


if __name__ == "__main__":
    unittest.main()
