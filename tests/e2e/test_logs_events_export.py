"""What can be read of an experiment: logs, events, exports."""

import csv
import io
import json
import socket
import unittest

from harness import ENDED_TRIAL, EventReader, LatheTest, wait_for


class Logs(LatheTest):
    def log(self, experiment, trial, name="stdout", **query):
        answer = self.client.request("GET", f"experiments/{experiment}/trials/{trial}/logs/{name}", query=query)
        self.assertEqual(answer.status, 200, answer.text)
        return answer.text

    def test_tail(self):
        experiment = self.run_to(self.bash("seq 1000\nprintf 'no newline'\necho oops >&2\nreport FINAL 0 1\n", maxTrialNumber=1))["id"]
        trial = self.client.trials(experiment)[0]["id"]
        self.assertEqual(self.log(experiment, trial), "".join(f"{i}\n" for i in range(1, 1001)) + "no newline")
        self.assertEqual(self.log(experiment, trial, tail=2), "1000\nno newline")
        self.assertEqual(self.log(experiment, trial, "stderr"), "oops\n")
        for name in ("parameter.cfg", ".nni", "..%2Fconfig.json"):
            answer = self.client.request("GET", f"experiments/{experiment}/trials/{trial}/logs/{name}")
            self.assertIn(answer.status, (400, 404), name)

    def test_follow_ends_with_the_trial(self):
        experiment = self.client.create(self.gated("echo last\nreport FINAL 0 1\n", maxTrialNumber=1))["id"]
        trial = self.started(1)[0]
        with socket.create_connection(("127.0.0.1", self.daemon.port), timeout=20) as connection:
            path = f"/api/v1/experiments/{experiment}/trials/{trial}/logs/stdout?follow=true"
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            text = connection.recv(65536)
            self.assertIn(b"200", text.split(b"\r\n")[0])
            self.assertNotIn(b"last", text)
            self.open_gate()
            while piece := connection.recv(65536):
                text += piece
        self.assertIn(b"last\n", text)
        self.assertTrue(text.endswith(b"0\r\n\r\n") or b"chunked" not in text.lower(), "the answer is complete")
        self.client.wait_status(experiment, "DONE")

    def test_the_daemons_log(self):
        answer = self.client.request("GET", "log", query={"tail": 1})
        self.assertEqual(answer.status, 200)
        self.assertEqual(len(answer.text.splitlines()), 1)


class Events(LatheTest):
    def run_watched(self, **more):
        experiment = self.client.create(self.gated(**more))["id"]
        return experiment, EventReader(self.client, f"experiments/{experiment}/events")

    def test_changes_arrive_as_they_happen(self):
        experiment, reader = self.run_watched(maxTrialNumber=3)
        with reader:
            self.started(2)
            self.open_gate()
            reader.wait(lambda e: e["kind"] == "experiment" and e["data"]["status"] == "DONE", "the end")
            events = reader.events()
        ended = [e["data"]["id"] for e in events if e["kind"] == "trial" and e["data"]["status"] in ENDED_TRIAL]
        self.assertEqual(sorted(set(ended)), sorted(t["id"] for t in self.client.trials(experiment)))
        self.assertEqual(len([e for e in events if e["kind"] == "metric"]), 3)
        numbers = [int(e["id"].rpartition("-")[2]) for e in events]
        self.assertEqual(numbers, sorted(numbers))
        last = [e for e in events if e["kind"] == "experiment"][-1]["data"]
        shown = self.client.experiment(experiment)
        self.assertEqual({**last, "config": shown["config"]}, shown, "events carry the config only when it has changed")

    def test_a_lost_connection_goes_on_where_it_was(self):
        experiment, reader = self.run_watched(maxTrialNumber=4)
        with reader:
            self.started(2)
            seen = reader.wait(lambda e: e["id"], "an event with an id")
            last = reader.events()[-1]["id"]
        self.open_gate()
        self.client.wait_status(experiment, "DONE")
        with EventReader(self.client, f"experiments/{experiment}/events", last) as resumed:
            resumed.wait(lambda e: e["kind"] == "experiment" and e["data"]["status"] == "DONE", "what was missed")
            kinds = [e["kind"] for e in resumed.events()]
        self.assertEqual(kinds.count("metric"), 4)
        self.assertNotIn("reset", kinds)
        self.assertTrue(seen["id"])

    def test_an_id_from_elsewhere_resets(self):
        experiment = self.run_to(self.bash("report FINAL 0 1\n", maxTrialNumber=1))["id"]
        with EventReader(self.client, f"experiments/{experiment}/events", "another-17") as reader:
            reader.wait(lambda e: e["kind"] == "reset", "the word to start over")

    def test_deletion_is_told(self):
        experiment = self.run_to(self.bash("report FINAL 0 1\n", maxTrialNumber=1))["id"]
        with EventReader(self.client, f"experiments/{experiment}/events") as reader:
            self.assertEqual(self.client.request("DELETE", f"experiments/{experiment}").status, 204)
            reader.wait(lambda e: e["kind"] == "deleted", "the deletion")

    def test_many_listeners(self):
        experiment = self.client.create(self.gated(maxTrialNumber=2))["id"]
        readers = [EventReader(self.client, f"experiments/{experiment}/events") for _ in range(20)]
        self.started(2)
        self.open_gate()
        for reader in readers:
            with reader:
                reader.wait(lambda e: e["kind"] == "experiment" and e["data"]["status"] == "DONE", "the end")


class Export(LatheTest):
    def export(self, experiment, kind):
        answer = self.client.request("GET", f"experiments/{experiment}/export", query={"format": kind})
        self.assertEqual(answer.status, 200)
        return answer.text

    def test_json_and_csv_agree(self):
        space = {"algorithm": {"_type": "choice", "_value": [{"_name": "l1", "s": {"_type": "uniform", "_value": [0, 1]}}]},
                 "word": {"_type": "choice", "_value": ['a "quoted", one', "=1+1"]}}
        body = self.python('report("FINAL", 0, {"default": parameters["algorithm"]["s"], "size": 3})\n', space=space, maxTrialNumber=6)
        experiment = self.run_to(body)["id"]
        trials = self.client.trials(experiment)
        exported = json.loads(self.export(experiment, "json"))
        self.assertEqual([e["trialId"] for e in exported], [t["id"] for t in trials])
        self.assertEqual([e["parameters"] for e in exported], [t["parameters"] for t in trials])
        self.assertEqual([e["metrics"] for e in exported], [t["finalMetric"] for t in trials])
        rows = list(csv.DictReader(io.StringIO(self.export(experiment, "csv"))))
        self.assertEqual([r["trialId"] for r in rows], [t["id"] for t in trials])
        for row, trial in zip(rows, trials):
            self.assertAlmostEqual(float(row["algorithm.s"]), trial["parameters"]["algorithm"]["s"])
            self.assertEqual(row["algorithm._name"], "l1")
            self.assertAlmostEqual(float(row["default"]), trial["metric"])
            self.assertEqual(float(row["size"]), 3)
            word = trial["parameters"]["word"]
            self.assertEqual(row["word"], "'" + word if word.startswith("=") else word)

    def test_an_unknown_format_is_named(self):
        experiment = self.run_to(self.bash("report FINAL 0 1\n", maxTrialNumber=1))["id"]
        answer = self.client.request("GET", f"experiments/{experiment}/export", query={"format": "xml"})
        self.assertEqual(answer.status, 400)
        self.assertIn("format", answer.text)


if __name__ == "__main__":
    unittest.main()
