"""Many short trials over lines with 100 ms delay, jitter and 5 % loss each way: all end, and every metric counts once."""

import time
import unittest

from far_hosts import FarTest

DELAY, JITTER, LOSS = 0.1, 0.02, 0.05
TRIALS, SLOTS = 40, 5


class LossyLink(FarTest):
    count = 2

    def packets(self):
        """How many have arrived so far, and how many have not."""
        return sum(line.there.carried + line.back.carried for line in self.lines), sum(line.lost() for line in self.lines)

    def run_trials(self, what):
        """Runs and examines them, says how long it took; how many packets were lost meanwhile."""
        began, before = time.monotonic(), self.packets()
        body = self.remote("for i in 0 1 2; do report PERIODICAL $i $i; done\nreport FINAL 0 3\n", self.hosts.service(slots=SLOTS),
                           maxTrialNumber=TRIALS, trialConcurrency=self.count * SLOTS)
        experiment = self.run_to(body, seconds=180)
        arrived, lost = (now - then for now, then in zip(self.packets(), before))
        print(f"\n{what}: {TRIALS} trials in {time.monotonic() - began:.1f} s, {arrived} packets arrived and {lost} did not", flush=True)
        self.examine(experiment["id"])
        return lost

    def examine(self, experiment):
        trials = self.client.trials(experiment)
        self.assertEqual(len(trials), TRIALS)
        self.assertEqual({trial["host"] for trial in trials}, {host.name for host in self.hosts})
        for trial in trials:
            self.assertEqual((trial["status"], trial["attempt"], trial["metric"]), ("SUCCEEDED", 0, 3), trial)
            self.assert_metrics(experiment, trial, [*(("PERIODICAL", i, i) for i in range(3)), ("FINAL", 0, 3)])

    def test_many_short_trials(self):
        self.assertEqual(self.run_trials("over good lines"), 0)
        for line in self.lines:
            line.worsen(DELAY, JITTER, LOSS)
        self.assertGreater(self.run_trials(f"with {DELAY * 1000:.0f} ms, ±{JITTER * 1000:.0f} ms, {LOSS:.0%} lost each way"), 0)


if __name__ == "__main__":
    unittest.main()
