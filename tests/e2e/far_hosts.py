"""Tests whose machines are at the far ends of bad lines."""

import unittest

import bad_network
import sshd
from harness import wait_for
from test_remote_hosts import RemoteTest

REFUSED = "CANNOT MAKE NETWORK NAMESPACES"


class FarTest(RemoteTest):
    """`count` machines, each behind a line of its own: self.lines[i] leads to self.hosts[i]."""

    lost_after = "10m"

    def make_hosts(self):
        if why := bad_network.missing():
            raise unittest.SkipTest(f"{REFUSED}: {why}")
        network = bad_network.PrivateNetwork()
        network.__enter__()
        self.addCleanup(network.__exit__)
        self.lines = [network.line() for _ in range(self.count)]
        return sshd.SshHosts(self.count, self.lines)

    def wait_connected(self, names, connected, seconds):
        """Until the daemon is connected, or not, to all these hosts."""

        def agree():
            hosts = {host["id"]: host["connected"] for host in self.client.get("hosts")["items"]}
            return all(hosts.get(name) == connected for name in names)

        wait_for(agree, f"{names} are {'connected' if connected else 'out of reach'}", seconds)

    def on(self, host, experiment, **query):
        return [trial for trial in self.client.trials(experiment, **query) if trial.get("host") == host.name]

    def assert_metrics(self, experiment, trial, expected):
        """[(type, sequence, value)], each exactly once."""
        metrics = self.client.metrics(experiment, trial["id"])
        self.assertCountEqual([(metric["type"], metric["sequence"], float(metric["value"])) for metric in metrics], expected)
