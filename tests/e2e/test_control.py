"""What a user does to an experiment that lives: cancel, add, change, stop, resume, delete."""

import unittest
from pathlib import Path

from harness import LatheTest, is_alive, wait_for


class Control(LatheTest):
    def create_gated(self, **more):
        experiment = self.client.create(self.gated(**more))["id"]
        self.addCleanup(self.end, experiment)
        return experiment

    def end(self, experiment):
        self.client.request("POST", f"experiments/{experiment}/stop")

    def test_cancel_a_running_trial(self):
        experiment = self.create_gated(maxTrialNumber=2)
        victim = self.started(2)[0]
        pid = self.client.pid(experiment, victim)
        self.client.post(f"experiments/{experiment}/trials/{victim}/cancel")
        trial = self.client.wait_trials(experiment, 1, status="USER_CANCELED")[0]
        self.assertEqual(trial["id"], victim)
        wait_for(lambda: not is_alive(pid), "its process has ended")
        self.open_gate()
        self.client.wait_status(experiment, "DONE")
        again = self.client.request("POST", f"experiments/{experiment}/trials/{victim}/cancel")
        self.assertEqual(again.status, 409)

    def test_a_trial_that_ignores_signals_is_cancelled_too(self):
        body = self.bash('trap "" TERM INT HUP\ntouch "started-$NNI_TRIAL_JOB_ID"\nwhile true; do sleep 0.1; done\n', maxTrialNumber=1)
        experiment = self.client.create(body)["id"]
        self.client.post(f"experiments/{experiment}/trials/{self.started(1)[0]}/cancel")
        self.client.wait_status(experiment, "DONE", 30)
        self.assertEqual(self.client.trials(experiment)[0]["status"], "USER_CANCELED")

    def test_add_by_hand(self):
        experiment = self.create_gated(maxTrialNumber=4, trialConcurrency=1)
        self.started(1)
        added = self.client.post(f"experiments/{experiment}/trials", {"parameters": {"x": 0.125}})
        self.assertEqual(added["source"], "customized")
        waiting = self.client.get(f"experiments/{experiment}/trials/{added['id']}")
        self.assertEqual(waiting["status"], "WAITING")
        self.assertTrue(waiting["waitReason"])
        self.open_gate()
        self.client.wait_status(experiment, "DONE")
        done = self.client.get(f"experiments/{experiment}/trials/{added['id']}")
        self.assertEqual((done["status"], done["parameters"]), ("SUCCEEDED", {"x": 0.125}))
        record = (Path(done["directory"]) / "parameter.cfg").read_text()
        self.assertIn("customized", record)
        answer = self.client.request("POST", f"experiments/{experiment}/trials", body={"parameters": [1]})
        self.assertIn(answer.status, (400, 422))

    def test_concurrency_can_be_raised(self):
        experiment = self.create_gated(maxTrialNumber=6, trialConcurrency=1)
        self.started(1)
        self.client.patch(f"experiments/{experiment}", {"trialConcurrency": 4})
        self.started(4)
        self.assertEqual(self.client.experiment(experiment)["config"]["trialConcurrency"], 4)
        self.open_gate()
        self.assertEqual(self.client.wait_status(experiment, "DONE")["counts"]["SUCCEEDED"], 6)

    def test_a_raised_limit_lets_a_finished_experiment_go_on(self):
        experiment = self.run_to(self.bash("report FINAL 0 1\n", maxTrialNumber=2))["id"]
        self.client.patch(f"experiments/{experiment}", {"maxTrialNumber": 5})
        wait_for(lambda: self.client.experiment(experiment)["counts"]["SUCCEEDED"] == 5, "five trials")
        self.client.wait_status(experiment, "DONE")
        self.assertEqual([t["sequence"] for t in self.client.trials(experiment)], list(range(5)))

    def test_a_new_search_space_counts_for_the_trials_to_come(self):
        experiment = self.create_gated(maxTrialNumber=6, trialConcurrency=1)
        self.started(1)
        self.client.patch(f"experiments/{experiment}", {"searchSpace": {"y": {"_type": "choice", "_value": [5, 6]}}})
        self.open_gate()
        self.client.wait_status(experiment, "DONE")
        self.assertEqual(set(self.client.trials(experiment)[-1]["parameters"]), {"y"})

    def test_stop_resume_delete(self):
        experiment = self.create_gated(maxTrialNumber=4)
        pids = [self.client.pid(experiment, t) for t in self.started(2)]
        self.assertEqual(self.client.request("DELETE", f"experiments/{experiment}").status, 409)
        self.client.post(f"experiments/{experiment}/stop")
        stopped = self.client.wait_status(experiment, "STOPPED")
        for pid in pids:
            self.assertFalse(is_alive(pid))
        self.assertEqual(stopped["counts"]["USER_CANCELED"], 2)
        self.assertIn(self.client.request("POST", f"experiments/{experiment}/stop").status, (200, 202), "stopping again does no harm")
        self.open_gate()
        self.client.post(f"experiments/{experiment}/resume")
        done = self.client.wait_status(experiment, "DONE")
        self.assertEqual(sum(done["counts"].values()), len(self.client.trials(experiment)))
        self.assertGreaterEqual(done["counts"]["SUCCEEDED"], 2)
        folder = Path(done["directory"])
        self.assertTrue(folder.exists())
        self.assertEqual(self.client.request("DELETE", f"experiments/{experiment}").status, 204)
        self.assertEqual(self.client.request("GET", f"experiments/{experiment}").status, 404)
        wait_for(lambda: not folder.exists(), "its folder is gone")

    def test_experiments_side_by_side(self):
        ids = [self.create_gated(maxTrialNumber=2) for _ in range(3)]
        self.started(6)
        self.open_gate()
        for experiment in ids:
            self.assertEqual(self.client.wait_status(experiment, "DONE")["counts"]["SUCCEEDED"], 2)
        listed = {e["id"] for e in self.client.get("experiments", status="DONE", limit=1000)["items"]}
        self.assertLessEqual(set(ids), listed)


if __name__ == "__main__":
    unittest.main()
