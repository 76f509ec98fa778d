"""Who may use a daemon: origins, hosts, tokens, TLS, and a daemon that is being drained."""

import http.client
import json
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from harness import PATIENCE, Client, Daemon, LatheTest, Response, program, wait_for


def problem(answer):
    return json.loads(answer.body)["detail"]


class Origins(LatheTest):
    """A daemon as it is by default: on the loopback address, without tokens."""

    def ask(self, method="GET", path="experiments", **headers):
        return self.client.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def test_another_origin_is_refused(self):
        for origin in ("https://evil.example", "null", f"http://localhost:{self.daemon.port}", "http://127.0.0.1:1"):
            for method in ("GET", "POST", "OPTIONS"):
                self.assertEqual(self.ask(method, Origin=origin).status, 403, (method, origin))
        self.assertEqual(self.ask(Origin=self.daemon.url).status, 200)

    def test_a_rebinding_host_is_refused(self):
        for host in ("evil.example", f"evil.example:{self.daemon.port}", "0.0.0.0", "localhost.evil.example", "127.0.0.1.evil.example"):
            self.assertEqual(self.ask(Host=host).status, 403, host)
            self.assertEqual(self.ask("POST", Host=host).status, 403, host)
        for host in ("localhost", "127.0.0.1:9999", "[::1]"):
            self.assertEqual(self.ask(Host=host).status, 200, host)

    def test_what_another_site_makes_a_browser_do_is_refused(self):
        self.assertEqual(self.ask("POST", Sec_Fetch_Site="cross-site", Content_Type="text/plain").status, 403)
        self.assertEqual(self.ask("POST", User_Agent="Mozilla/5.0", Content_Type="application/x-www-form-urlencoded").status, 403)
        self.assertEqual(self.ask("OPTIONS", Access_Control_Request_Method="POST").status, 403)

    def test_curl_may_post_as_it_does_by_default(self):
        config = json.dumps(self.bash("report FINAL 0 1", maxTrialNumber=1))
        done = subprocess.run(["curl", "-sS", "--data-binary", "@-", f"{self.daemon.url}/api/v1/experiments"], input=config, text=True,
                              capture_output=True, timeout=20 * PATIENCE)
        self.assertIn("id", json.loads(done.stdout), done.stderr)
        self.client.wait_status(json.loads(done.stdout)["id"], "DONE")


class Tokens(LatheTest):
    daemon_arguments = ("--require-token",)

    def token(self, name, role="read-only"):
        made = subprocess.run([program("lathed"), "token", "add", name, "--role", role, "--data-dir", str(self.daemon.data)],
                              capture_output=True, text=True, timeout=20 * PATIENCE)
        self.assertEqual(made.returncode, 0, made.stderr)
        return made.stdout.strip()

    def ask(self, method, path, token=None, **headers):
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return self.client.request(method, path, headers=headers)

    @property
    def operator(self):
        return (self.daemon.data / "operator-token").read_text().strip()

    def log(self):
        return (self.daemon.data / "lathed.log").read_text()

    def test_without_a_token_nothing_is_told(self):
        for path in ("experiments", "log", "events", "daemon", "/version", "/openapi.yaml"):
            answer = self.ask("GET", path)
            self.assertEqual(answer.status, 401, path)
            self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
        self.assertEqual(self.ask("POST", "experiments").status, 401)
        self.assertEqual(self.ask("GET", "/healthz").status, 200)
        self.assertEqual(self.ask("GET", "/").status, 200, "the dashboard, which asks for the token")

    def test_a_wrong_token_is_refused_slowly_and_logged_without_it(self):
        began = time.monotonic()
        for _ in range(3):
            self.assertEqual(self.ask("GET", "experiments", "lathe_certainly-not").status, 401)
        self.assertGreater(time.monotonic() - began, 0.7, "100, 200 and 400 ms")
        self.assertIn("the token is not known (attempt 3)", self.log())
        self.assertNotIn("certainly-not", self.log())

    def test_a_read_only_token_reads(self):
        reader = self.token("reader")
        self.assertEqual(self.ask("GET", "experiments", reader).status, 200)
        self.assertEqual(self.ask("HEAD", "experiments", reader).status, 200)
        for method, path in (("POST", "experiments"), ("PUT", "daemon/drain"), ("DELETE", "experiments/abcd1234"), ("PATCH", "experiments/abcd1234")):
            answer = self.ask(method, path, reader)
            self.assertEqual(answer.status, 403, (method, path))
            self.assertIn("needs the role admin", problem(answer))
        self.assertNotIn(reader, self.log())

    def test_a_token_does_not_excuse_a_foreign_site(self):
        self.assertEqual(self.ask("GET", "experiments", self.operator, Origin="https://evil.example").status, 403)
        self.assertEqual(self.ask("GET", "experiments", self.operator, Host="evil.example").status, 403)

    def test_tokens_come_and_go_while_the_daemon_runs(self):
        token = self.token("guest", "admin")
        self.assertEqual(self.ask("PUT", "daemon/drain", token).status, 200)
        self.assertEqual(self.ask("DELETE", "daemon/drain", token).status, 200)
        subprocess.run([program("lathed"), "token", "rm", "guest", "--data-dir", str(self.daemon.data)], check=True, timeout=20 * PATIENCE)
        self.assertEqual(self.ask("GET", "experiments", token).status, 401)

    def test_files_are_private(self):
        for name in ("tokens", "operator-token"):
            self.assertEqual(stat.S_IMODE((self.daemon.data / name).stat().st_mode), 0o600, name)
        self.assertNotIn(self.operator, (self.daemon.data / "tokens").read_text())

    def test_lathectl_sends_the_token(self):
        token = self.token("script")
        refused = self.lathectl("daemon", "show")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("needs a token", refused.stderr)
        self.assertEqual(self.lathectl("daemon", "show", environment={"LATHE_TOKEN": token}).returncode, 0)
        file = self.scratch / "token"
        file.write_text(token + "\n")
        self.assertEqual(self.lathectl("daemon", "show", environment={"LATHE_TOKEN_FILE": str(file)}).returncode, 0)
        self.assertEqual(self.lathectl("--token-file", str(file), "daemon", "show").returncode, 0)
        drain = self.lathectl("--token-file", str(file), "daemon", "drain")
        self.assertEqual(drain.returncode, 1)
        self.assertIn("needs the role admin", drain.stderr)

    def test_lathectl_finds_the_operators_token(self):
        state = self.scratch / "state"
        state.mkdir()
        (state / "lathe").symlink_to(self.daemon.data)
        shown = self.lathectl("daemon", "show", environment={"XDG_STATE_HOME": str(state)})
        self.assertEqual(shown.returncode, 0, shown.stderr)


class Refusals(LatheTest):
    """Daemons that do not start."""

    def start(self, *arguments):
        return subprocess.run([program("lathed"), "--port", "0", "--data-dir", str(self.scratch / "data"), *arguments], capture_output=True,
                              text=True, timeout=20 * PATIENCE)

    def test_a_token_file_that_others_can_read(self):
        data = self.scratch / "data"
        subprocess.run([program("lathed"), "token", "add", "a", "--data-dir", str(data)], check=True, capture_output=True, timeout=20 * PATIENCE)
        (data / "tokens").chmod(0o644)
        ended = self.start("--require-token")
        self.assertEqual(ended.returncode, 5)
        self.assertIn(f"chmod 600 {data / 'tokens'}", ended.stderr)
        if os.geteuid() == 0:
            (data / "tokens").chmod(0o600)
            os.chown(data / "tokens", 12345, 12345)
            ended = self.start("--require-token")
            self.assertEqual(ended.returncode, 5)
            self.assertIn("chown", ended.stderr)

    def test_a_key_that_others_can_read(self):
        authority = Authority(self.scratch)
        certificate, key = authority.sign("server", "DNS:localhost")
        key.chmod(0o644)
        ended = self.start("--tls-cert", str(certificate), "--tls-key", str(key))
        self.assertEqual(ended.returncode, 5)
        self.assertIn("chmod o-rwx", ended.stderr)


class Authority:
    """A certificate authority in a folder of its own."""

    def __init__(self, folder, name="authority"):
        self.folder, self.name = Path(folder), name
        self.certificate = self.folder / f"{name}.crt"
        self._run("req", "-x509", *self._key(name), "-days", "2", "-subj", f"/CN={name}", "-out", str(self.certificate))

    def _key(self, name):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(self.folder / f"{name}.key"))

    def _run(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=30 * PATIENCE)

    def sign(self, name, alternative_names):
        request, certificate, extensions = (self.folder / f"{name}{end}" for end in (".csr", ".crt", ".ext"))
        extensions.write_text(f"subjectAltName={alternative_names}\nbasicConstraints=CA:FALSE\n")
        self._run("req", "-new", *self._key(name), "-subj", f"/CN={name}", "-out", str(request))
        self._run("x509", "-req", "-in", str(request), "-CA", str(self.certificate), "-CAkey", str(self.folder / f"{self.name}.key"),
                  "-CAcreateserial", "-days", "2", "-extfile", str(extensions), "-out", str(certificate))
        return certificate, self.folder / f"{name}.key"


class TlsClient(Client):
    def __init__(self, port, authority):
        super().__init__(port)
        self.context = ssl.create_default_context(cafile=str(authority.certificate))

    def request(self, method, path, body=None, headers=None, query=None, timeout=None):
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=self.timeout, context=self.context)
        try:
            connection.request(method, path if path.startswith("/") else "/api/v1/" + path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Response(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()


class TlsDaemon(Daemon):
    def __init__(self, folder, arguments, authority):
        super().__init__(folder, arguments)
        self.authority = authority

    def _announced_port(self):
        self.output = self._output_file.read_text(errors="replace")
        if self.process.poll() is not None:
            raise AssertionError(f"lathed ended with {self.process.returncode}:\n{self.output}")
        match = re.search(r"https://127\.0\.0\.1:(\d+)", self.output)
        return int(match.group(1)) if match else None

    def _is_healthy(self):
        self.client = TlsClient(self.port, self.authority)
        return super()._is_healthy()


class Tls(LatheTest):
    own_daemon = True

    @classmethod
    def _open(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="lathe-e2e-"))
        cls.authority = Authority(cls.folder)
        certificate, key = cls.authority.sign("server", "DNS:localhost")
        cls.daemon = TlsDaemon(cls.folder, ["--tls-cert", str(certificate), "--tls-key", str(key)], cls.authority)
        try:
            cls.daemon.start()
        except BaseException:
            cls._close()
            raise

    def lathectl_to(self, host, *arguments):
        return subprocess.run([program("lathectl"), "--url", f"https://{host}:{self.daemon.port}", *arguments, "daemon", "show"], capture_output=True,
                              text=True, timeout=60 * PATIENCE, env=self.daemon.environment())

    def test_the_right_authority_is_believed(self):
        self.assertEqual(self.client.request("GET", "experiments").status, 200)
        shown = self.lathectl_to("localhost", "--ca-file", str(self.authority.certificate))
        self.assertEqual(shown.returncode, 0, shown.stderr)

    def test_a_wrong_authority_another_host_and_plain_http_are_not(self):
        other = Authority(self.scratch, "other")
        with self.assertRaises(ssl.SSLCertVerificationError):
            TlsClient(self.daemon.port, other).request("GET", "experiments")
        refused = self.lathectl_to("localhost", "--ca-file", str(other.certificate))
        self.assertEqual(refused.returncode, 3)
        self.assertIn("not trusted", refused.stderr)
        refused = self.lathectl_to("127.0.0.1", "--ca-file", str(self.authority.certificate))
        self.assertEqual(refused.returncode, 3)
        self.assertIn("another host than 127.0.0.1", refused.stderr)
        plain = Client(self.daemon.port).request("GET", "/healthz")
        self.assertEqual(plain.status, 400)
        self.assertIn("speaks https", plain.text)

    def test_a_renewed_certificate_is_taken_up(self):
        self.authority.sign("server", "DNS:renewed,DNS:localhost")
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "new connections use the certificate" in (self.daemon.data / "lathed.log").read_text(), "it is read again")
        (self.folder / "server.key").write_text("nonsense")
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "the certificate stays as it was" in (self.daemon.data / "lathed.log").read_text(), "it is refused")
        with ssl.create_default_context(cafile=str(self.authority.certificate)).wrap_socket(self._socket(), server_hostname="renewed"):
            pass
        self.assertEqual(self.client.request("GET", "experiments").status, 200)

    def _socket(self):
        return socket.create_connection(("127.0.0.1", self.daemon.port), timeout=10 * PATIENCE)


class Drain(LatheTest):
    own_daemon = True

    def test_a_drained_daemon_starts_nothing_new_also_after_a_restart(self):
        experiment = self.client.create(self.gated(maxTrialNumber=3, trialConcurrency=1))["id"]
        self.started(1)
        drained = self.lathectl("daemon", "drain")
        self.assertEqual((drained.returncode, "1 trial runs" in drained.stdout), (0, True), drained.stdout + drained.stderr)
        self.open_gate()
        self.client.wait_trials(experiment, 1, status="SUCCEEDED")

        def reason():
            waiting = self.client.trials(experiment, status="WAITING")
            return waiting and waiting[0].get("waitReason") == "the daemon is being drained"

        wait_for(reason, "a trial says why it waits")
        self.assertEqual(self.client.get("daemon")["runningTrials"], 0)
        self.daemon.terminate()
        self.daemon.start()
        self.assertTrue(self.client.get("daemon")["draining"])
        self.assertEqual(len(self.started(1)), 1)
        self.assertEqual(self.lathectl("daemon", "resume").returncode, 0)
        self.client.wait_status(experiment, "DONE")


if __name__ == "__main__":
    unittest.main()
