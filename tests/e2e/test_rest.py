"""The REST interface in detail: pages, filters, and a clear problem for every bad input."""

import socket
import unittest

from harness import LatheTest, config


class Listing(LatheTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        test = cls()
        test.setUp()
        body = test.python('import sys\nif parameters["x"] < 0.3:\n    sys.exit(3)\nreport("FINAL", 0, parameters["x"])\n', maxTrialNumber=25, trialConcurrency=4)
        cls.experiment = test.run_to(body, seconds=40)["id"]

    def page(self, **query):
        return self.client.get(f"experiments/{self.experiment}/trials", **query)

    def test_pages_cover_everything_once(self):
        seen, cursor = [], None
        while True:
            page = self.page(limit=7, **({"cursor": cursor} if cursor else {}))
            self.assertLessEqual(len(page["items"]), 7)
            seen += [t["sequence"] for t in page["items"]]
            cursor = page.get("nextCursor")
            if not cursor:
                break
        self.assertEqual(seen, list(range(25)))

    def test_orders(self):
        self.assertEqual([t["sequence"] for t in self.client.trials(self.experiment, sort="-sequence", limit=10)], list(range(24, -1, -1)))
        for sort, reverse in (("metric", False), ("-metric", True)):
            trials = self.client.trials(self.experiment, sort=sort, limit=4)
            self.assertEqual(len(trials), 25)
            metrics = [t.get("metric") for t in trials]
            known = [m for m in metrics if m is not None]
            self.assertEqual(known, sorted(known, reverse=reverse))
            self.assertTrue(all(m is None for m in metrics[len(known):]), "those without a metric come last")

    def test_filters(self):
        failed = self.client.trials(self.experiment, status="FAILED")
        succeeded = self.client.trials(self.experiment, status="SUCCEEDED")
        self.assertGreater(len(failed), 0)
        self.assertGreater(len(succeeded), 0)
        self.assertEqual(len(failed) + len(succeeded), 25)
        self.assertEqual(len(self.client.trials(self.experiment, status="FAILED,SUCCEEDED")), 25)
        self.assertEqual(self.client.trials(self.experiment, status="RUNNING"), [])
        self.assertEqual({t["exitCode"] for t in failed}, {3})

    def test_bad_query_values_are_named(self):
        for query in ({"limit": 0}, {"limit": 1001}, {"limit": "many"}, {"sort": "size"}, {"status": "BROKEN"}, {"cursor": "?"}):
            answer = self.client.request("GET", f"experiments/{self.experiment}/trials", query=query)
            self.assertEqual(answer.status, 400, query)
            self.assertIn(next(iter(query)), answer.text)

    def test_metrics_by_type(self):
        finals = self.client.get(f"experiments/{self.experiment}/metrics", type="FINAL", limit=1000)["items"]
        self.assertEqual(len(finals), len(self.client.trials(self.experiment, status="SUCCEEDED")))


class Problems(LatheTest):
    def problem(self, body, status, *words, directory=None):
        path = "experiments" + (f"?directory={directory}" if directory else "")
        answer = self.client.request("POST", path, body=body)
        self.assertEqual(answer.status, status, answer.text[:1000])
        self.assertIn("application/problem+json", answer.headers.get("Content-Type", ""))
        problem = answer.json()
        self.assertEqual(problem["status"], status)
        self.assertTrue(problem["title"])
        for word in words:
            self.assertIn(word, answer.text)
        return problem

    def bad(self, *words, without=(), **changes):
        body = {key: value for key, value in {**config("true"), **changes}.items() if key not in without}
        problem = self.problem(body, 422, *words)
        self.assertTrue(problem["errors"])
        for error in problem["errors"]:
            self.assertTrue(error["message"])
        return problem

    def test_malformed_text(self):
        problem = self.problem("searchSpace: [1, 2\ntrialCommand: x\n  bad: indent", 400)
        self.assertTrue(problem.get("errors") and problem["errors"][0].get("line"), problem)
        self.problem("{\"a\": ", 400)
        self.problem(b"\xff\xfe\x00", 400)
        self.problem("", 400)

    def test_unknown_keys_are_told_with_the_nearest(self):
        self.bad("maxTrialNumbr", "maxTrialNumber", maxTrialNumbr=3)

    def test_wrong_types(self):
        self.bad("trialConcurrency", trialConcurrency="two")
        self.bad("maxTrialNumber", maxTrialNumber=-1)
        self.bad("maxExperimentDuration", maxExperimentDuration="soon")
        self.bad("tuner", tuner="TPE")
        self.problem("[1, 2]", 422)

    def test_tuners(self):
        self.bad("TPE", "Random", "Anneal", tuner={"name": "Psychic"})
        self.bad("gama", tuner={"name": "TPE", "classArgs": {"tpe_args": {"gama": 3}}})

    def test_search_spaces(self):
        for value, word in ((("choice", []), "x"), (("uniform", [1, 0]), "x"), (("randint", [3, 3]), "x"), (("loguniform", [0, 1]), "x"),
                            (("unifrom", [0, 1]), "uniform"), (("uniform", [0]), "x"), (("normal", [0, -1]), "x"), (("uniform", ["a", "b"]), "x")):
            with self.subTest(value):
                self.bad("searchSpace", word, searchSpace={"x": {"_type": value[0], "_value": value[1]}})

    def test_missing_things(self):
        self.bad("searchSpace", without=("searchSpace",))
        self.bad("trialCommand", without=("trialCommand",))
        self.bad("no/such/space.json", without=("searchSpace",), searchSpaceFile="no/such/space.json")
        self.bad("/no/such/folder", trialCodeDirectory="/no/such/folder")

    def test_every_error_is_reported_at_once(self):
        problem = self.bad(trialConcurrency=0, maxTrialNumber="x", tuner={"name": "Psychic"})
        self.assertGreaterEqual(len(problem["errors"]), 3)

    def test_lines_of_yaml_are_named(self):
        text = "trialCommand: 'true'\nsearchSpace:\n  x:\n    _type: choice\n    _value: []\ntrialConcurrency: 1\ntuner:\n  name: Random\ntrainingService:\n  platform: local\n"
        problem = self.problem(text, 422)
        self.assertIn(problem["errors"][0]["line"], (4, 5))

    def test_relative_paths_need_their_folder(self):
        (self.scratch / "space.json").write_text('{"x": {"_type": "choice", "_value": [1]}}')
        body = {k: v for k, v in config("true", maxTrialNumber=1).items() if k != "searchSpace"}
        body["searchSpaceFile"] = "space.json"
        self.problem(body, 422, "space.json")
        experiment = self.client.create(body, self.scratch)
        self.client.wait_status(experiment["id"], "DONE")

    def test_errors_inside_the_search_space_file_name_it(self):
        (self.scratch / "space.json").write_text('{\n"x": {"_type": "choice",\n"_value": []}}')
        body = {k: v for k, v in config("true").items() if k != "searchSpace"}
        problem = self.problem({**body, "searchSpaceFile": "space.json"}, 422, directory=self.scratch)
        self.assertIn("space.json", problem["errors"][0]["file"])
        self.assertGreater(problem["errors"][0]["line"], 0)

    def test_a_huge_body_is_refused_without_being_read(self):
        with socket.create_connection(("127.0.0.1", self.daemon.port), timeout=30) as connection:
            connection.sendall(b"POST /api/v1/experiments HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 104857600\r\n\r\n")
            block = b"x" * (1 << 20)
            try:
                for _ in range(100):
                    connection.sendall(block)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the daemon may have had enough
            try:
                answer = connection.recv(65536)
            except ConnectionResetError:
                answer = b""
        if answer:
            self.assertIn(b" 413 ", answer.split(b"\r\n")[0])
        self.assertEqual(self.client.request("GET", "/healthz").status, 200)

    def test_unknown_things_are_404(self):
        for method, path in (("GET", "experiments/nosuch00"), ("DELETE", "experiments/nosuch00"), ("POST", "experiments/nosuch00/stop"),
                             ("POST", "experiments/nosuch00/resume"), ("GET", "experiments/nosuch00/trials"), ("GET", "experiments/nosuch00/trials/Ab3xY"),
                             ("POST", "experiments/nosuch00/trials/Ab3xY/cancel"), ("GET", "experiments/nosuch00/metrics"),
                             ("GET", "experiments/nosuch00/export"), ("GET", "experiments/nosuch00/events"), ("GET", "nothing/here"),
                             ("GET", "experiments/..%2F..%2Fetc"), ("GET", "experiments/nosuch00/trials/Ab3xY/logs/..%2F..%2Fparameter.cfg")):
            answer = self.client.request(method, path)
            self.assertEqual(answer.status, 404, f"{method} {path}")
            self.assertIn("application/problem+json", answer.headers.get("Content-Type", ""), path)

    def test_a_wrong_method_names_the_right_ones(self):
        answer = self.client.request("PUT", "experiments")
        self.assertEqual(answer.status, 405)
        self.assertIn("POST", answer.headers["Allow"])

    def test_other_sites_are_refused(self):
        self.assertEqual(self.client.request("GET", "experiments", headers={"Host": "evil.example"}).status, 403)
        self.assertEqual(self.client.request("POST", "experiments", body="{}", headers={"Origin": "http://evil.example"}).status, 403)

    def test_bad_changes(self):
        experiment = self.run_to(self.bash("report FINAL 0 1\n", maxTrialNumber=1))
        for change in ({"trialConcurrency": 0}, {"maxTrialNumber": "x"}, {"nonsense": 1}, {"searchSpace": {"x": {"_type": "choice", "_value": []}}}):
            answer = self.client.request("PATCH", f"experiments/{experiment['id']}", body=change)
            self.assertIn(answer.status, (400, 422), change)
            self.assertIn(next(iter(change)), answer.text)
        self.assertIn(self.client.request("PATCH", f"experiments/{experiment['id']}", body="not json").status, (400, 422))

    def test_version(self):
        self.assertRegex(self.client.request("GET", "/version").text, r"\d+\.\d+")


if __name__ == "__main__":
    unittest.main()
