"""Kills the daemon, agents, links, keepers and trials at random moments of a run of short trials; nothing is lost, doubled or left.

`test_faults.py --rounds 50` goes on for longer and prints a line a round; `--trials`, `--seed`.
"""

import argparse
import sys
import unittest

from fault_injector import FaultInjector, header, line
from harness import LatheTest

SLOTS = 6


class Faults(LatheTest):
    rounds, trials, seed = 4, 60, 1

    def test_nothing_is_lost_doubled_or_left(self):
        injector = FaultInjector(self.daemon, self.folder, {"platform": "local", "slots": SLOTS}, SLOTS, self.seed)
        print("\n" + header(), flush=True)
        problems = []
        for number in range(self.rounds):
            result = injector.round(number, self.trials)
            print(line(result), flush=True)
            problems += [f"round {number}: {problem}" for problem in result["problems"]]
        self.assertEqual(problems, [])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options, others = parser.parse_known_args()
    Faults.rounds, Faults.trials, Faults.seed = options.rounds, options.trials, options.seed
    unittest.main(argv=[sys.argv[0], *others])
