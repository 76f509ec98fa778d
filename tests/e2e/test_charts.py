"""What the dashboard draws, asked of a real daemon with a real experiment."""

import unittest

from harness import EventReader, LatheTest, wait_for

SPACE = {"x": {"_type": "uniform", "_value": [0, 1]},
         "kind": {"_type": "choice", "_value": [{"_name": "a", "y": {"_type": "uniform", "_value": [0, 1]}}, {"_name": "b"}]}}
TRIAL = """report("PERIODICAL", 0, parameters["x"] / 2)
report("PERIODICAL", 1, parameters["x"])
report("FINAL", 0, {"default": parameters["x"], "cost": 1 - parameters["x"] ** 2})
"""


class Charts(LatheTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        test = cls()
        test.setUp()
        body = test.python(TRIAL, maxTrialNumber=60, trialConcurrency=4, searchSpace=SPACE,
                           tuner={"name": "Random", "classArgs": {"optimize_mode": "maximize", "seed": 3}})
        cls.experiment = test.run_to(body, seconds=60)["id"]

    def get(self, path, **query):
        return self.client.get(f"experiments/{self.experiment}/{path}", **query)

    def test_columns_and_table(self):
        columns = {column["name"]: column for column in self.get("columns")["items"]}
        self.assertEqual(columns["metric"]["count"], 60)
        self.assertEqual(columns["metric"]["goal"], "maximize")
        self.assertEqual({value["value"] for value in columns["parameter.kind._name"]["values"]}, {"a", "b"})
        self.assertLess(columns["parameter.kind.y"]["count"], 60)
        table = self.get("table", columns="metric,metric.cost", sort="-metric", limit=5)
        self.assertEqual(table["columns"]["metric"], sorted(table["columns"]["metric"], reverse=True))
        self.assertEqual(table["total"], 60)

    def test_filter_agrees_with_the_trials(self):
        trials = self.client.trials(self.experiment)
        page = self.get("trials", filter="parameter.x >= 0.5 and parameter.kind._name = a", sort="-parameter.x", limit=100)
        wanted = sorted((t for t in trials if t["parameters"]["x"] >= 0.5 and t["parameters"]["kind"]["_name"] == "a"),
                        key=lambda t: -t["parameters"]["x"])
        self.assertEqual([t["id"] for t in page["items"]], [t["id"] for t in wanted])
        self.assertEqual(page["total"], len(wanted))

    def test_history_front_and_importance(self):
        history = self.get("history")
        self.assertEqual(len(history["sequence"]), 60)
        best = [value for _, value in history["best"]]
        self.assertEqual(best, sorted(best))
        self.assertEqual(best[-1], max(history["value"]))
        front = self.get("front", objectives="metric,metric.cost:min")
        self.assertEqual(front["frontSize"], 1, "more x is better in both")
        importance = self.get("importance")
        self.assertEqual(importance["items"][0]["parameter"], "parameter.x")

    def test_timeline_and_intermediates(self):
        timeline = self.get("timeline")
        self.assertEqual(timeline["total"], 60)
        self.assertLessEqual(len(timeline["lanes"]), 4)
        by_lane = {}
        for item in timeline["items"]:
            by_lane.setdefault(item["lane"], []).append((item["start"], item["end"]))
        for spans in by_lane.values():
            spans.sort()
            self.assertTrue(all(a[1] <= b[0] for a, b in zip(spans, spans[1:])))
        lines = self.get("intermediates", top=3)["items"]
        self.assertEqual([line["x"] for line in lines], [[0, 1]] * 3)

    def test_a_table_follows_a_running_experiment(self):
        experiment = self.client.create(self.gated(maxTrialNumber=2, trialConcurrency=1))["id"]
        path = f"experiments/{experiment}/trials"
        count = lambda status: self.client.get(path, filter=f"status = {status}")["total"]  # noqa: E731
        wait_for(lambda: count("RUNNING") == 1, "the table shows the running trial")
        self.open_gate()
        wait_for(lambda: count("SUCCEEDED") == 2, "the table shows the ends of both")
        self.client.wait_status(experiment, "DONE")

    def test_hosts_and_the_daemon_are_told_of(self):
        with EventReader(self.client, "events?kinds=host,daemon") as events:
            events.wait(lambda event: event["kind"] == "ready", "the stream stands")
            self.run_to(self.bash("report FINAL 0 1\n", maxTrialNumber=1))
            events.wait(lambda event: event["kind"] == "daemon", "the daemon's running trials are told")
            host = events.wait(lambda event: event["kind"] == "host", "the host's trials are told")
            self.assertEqual(host["data"]["id"], "local")

    def test_checks_and_schemas(self):
        verdict = self.client.post("experiments/check", "trialConcurrency: 0\n")
        self.assertFalse(verdict["valid"])
        self.assertIn("properties", self.client.get("schema/experiment"))


if __name__ == "__main__":
    unittest.main()
