"""Limits of trials and time, and what is said of a trial that did not end well."""

import time
import unittest

from harness import LatheTest, is_alive, wait_for


class Limits(LatheTest):
    def test_the_number_of_trials(self):
        experiment = self.run_to(self.bash("report FINAL 0 1\n", maxTrialNumber=3, trialConcurrency=2))
        self.assertEqual(len(self.client.trials(experiment["id"])), 3)

    def test_concurrency_is_kept(self):
        body = self.bash('mkdir "$NNI_CODE_DIR/slot-$NNI_TRIAL_JOB_ID"\nls -d "$NNI_CODE_DIR"/slot-* | wc -l\nsleep 0.1\nrmdir "$NNI_CODE_DIR/slot-$NNI_TRIAL_JOB_ID"\nreport FINAL 0 1\n',
                         maxTrialNumber=9, trialConcurrency=3)
        experiment = self.run_to(body)
        seen = []
        for trial in self.client.trials(experiment["id"]):
            answer = self.client.request("GET", f"experiments/{experiment['id']}/trials/{trial['id']}/logs/stdout")
            seen.append(int(answer.text))
        self.assertLessEqual(max(seen), 3)
        self.assertGreater(max(seen), 1)

    def test_a_trial_that_takes_too_long_ends_with_its_children(self):
        body = self.bash('(trap "" TERM; exec sleep 600) & echo $! > "$NNI_OUTPUT_DIR/child"; echo $$ > "$NNI_OUTPUT_DIR/self"; report PERIODICAL 0 0.5\nwait\n',
                         maxTrialNumber=1, maxTrialDuration="1s")
        experiment = self.run_to(body, seconds=30)
        trial = self.client.trials(experiment["id"])[0]
        self.assertEqual(trial["status"], "EARLY_STOPPED")
        self.assertIn("maxTrialDuration", trial["reason"])
        self.assertEqual(trial["intermediateCount"], 1)
        for name in ("child", "self"):
            pid = int(open(f"{trial['directory']}/{name}").read())
            wait_for(lambda: not is_alive(pid), f"{name} {pid} has ended", 5)

    def test_the_duration_of_the_experiment(self):
        began = time.monotonic()
        experiment = self.run_to(self.bash("sleep 0.2\nreport FINAL 0 1\n", maxTrialNumber=100000, maxExperimentDuration="2s"), seconds=15)
        self.assertGreaterEqual(time.monotonic() - began, 1.9)
        trials = self.client.trials(experiment["id"])
        self.assertGreater(len(trials), 2)
        self.assertEqual({t["status"] for t in trials}, {"SUCCEEDED"}, "those that run may finish")


class Failures(LatheTest):
    def only_trial(self, script):
        experiment = self.run_to(self.bash(script, maxTrialNumber=1))
        return self.client.trials(experiment["id"])[0]

    def test_an_exit_code(self):
        trial = self.only_trial("for i in $(seq 100); do echo line $i >&2; done; echo 'the reason é' >&2; exit 3\n")
        self.assertEqual((trial["status"], trial["exitCode"]), ("FAILED", 3))
        self.assertIn("exit code 3", trial["reason"])
        self.assertTrue(trial["stderrTail"].rstrip().endswith("the reason é"))
        self.assertLessEqual(len(trial["stderrTail"].encode()), 4096)

    def test_a_signal(self):
        trial = self.only_trial("kill -KILL $$\n")
        self.assertEqual((trial["status"], trial["signal"]), ("FAILED", 9))
        self.assertIn("SIGKILL", trial["reason"])
        self.assertNotIn("exitCode", trial)

    def test_a_command_that_does_not_exist(self):
        trial = self.only_trial("exec /no/such/program\n")
        self.assertEqual((trial["status"], trial["exitCode"]), ("FAILED", 127))
        self.assertIn("/no/such/program", trial["stderrTail"])

    def test_a_result_before_the_failure_is_kept(self):
        trial = self.only_trial("report FINAL 0 0.5\nexit 1\n")
        self.assertEqual(trial["status"], "FAILED")
        self.assertEqual(trial["finalMetric"], 0.5)

    def test_success_without_a_result(self):
        trial = self.only_trial("true\n")
        self.assertEqual(trial["status"], "SUCCEEDED")
        self.assertNotIn("metric", trial)

    def test_output_that_is_not_text(self):
        trial = self.only_trial("printf '\\xff\\xfe\\x1b[31m\\n' >&2; exit 1\n")
        self.assertEqual(trial["status"], "FAILED")
        self.assertIn("\x1b[31m", trial["stderrTail"])

    def test_background_children_do_not_outlive_their_trial(self):
        trial = self.only_trial('sleep 600 & echo $! > "$NNI_OUTPUT_DIR/child"; report FINAL 0 1\n')
        self.assertEqual(trial["status"], "SUCCEEDED")
        pid = int(open(f"{trial['directory']}/child").read())
        wait_for(lambda: not is_alive(pid), "the child has ended", 5)

    def test_many_failures_for_one_reason_are_warned_of(self):
        experiment = self.run_to(self.bash("exit 9\n", maxTrialNumber=8))
        self.assertEqual(experiment["counts"]["FAILED"], 8)
        self.assertTrue(any("exit code 9" in w for w in experiment["warnings"]) or "exit code 9" in experiment.get("error", ""), experiment["warnings"])


if __name__ == "__main__":
    unittest.main()
