"""Kills the daemon, agents, links, keepers and trials at random moments of a run of short trials; nothing is lost, doubled or left.

`test_faults.py --rounds 50` goes on for longer and prints a line a round; `--trials`, `--seed`.
"""

import argparse
import sys
import unittest

import sshd
from fault_injector import FaultInjector, header, line
from harness import LatheTest

HOSTS, SLOTS = 3, 2


class Faults(LatheTest):
    own_daemon = True
    rounds, trials, seed = 4, 40, 1

    def setUp(self):
        if sshd.missing():
            raise unittest.SkipTest(f"OPENSSH-SERVER IS NOT INSTALLED: {', '.join(sshd.missing())}")
        self.hosts = sshd.SshHosts(HOSTS)
        self.addCleanup(self.hosts.stop)
        self.hosts.start()
        type(self).daemon_arguments = ("--ssh-config", str(self.hosts.config), "--lost-after", "5s")
        super().setUp()

    def test_nothing_is_lost_doubled_or_left(self):
        injector = FaultInjector(self.daemon, [self.folder, self.hosts.folder], self.hosts.service(slots=SLOTS), HOSTS * SLOTS, self.seed)
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
