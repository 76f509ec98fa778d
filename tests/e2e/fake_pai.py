"""An OpenPAI made of a thread and processes: the documented REST API (jobs of protocol version 2), whose containers are processes.

A container's command runs with `bash`, its mount point replaced by the folder here that stands for the storage. A test may make the server
slow, silent, away, forgetful or unfriendly; it never decides by itself when a job runs unless `runs` is set.
"""

import json
import os
import re
import signal
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

NAME = re.compile(r"^[A-Za-z0-9_-]{1,255}$")


class Job:
    def __init__(self, user, protocol):
        self.user, self.protocol, self.name = user, protocol, protocol["name"]
        self.state, self.sub_state, self.execution = "WAITING", "AttemptCreationPending", "START"
        self.exit_code, self.exit_type, self.phrase = None, None, None
        self.process, self.runs, self.created = None, 0, int(time.time() * 1000)

    def summary(self):
        return {"name": self.name, "username": self.user, "state": self.state, "subState": self.sub_state,
                "executionType": self.execution, "retries": max(0, self.runs - 1), "createdTime": self.created, "completedTime": None,
                "appExitCode": self.exit_code, "virtualCluster": self.protocol.get("defaults", {}).get("virtualCluster", "default")}

    def detail(self):
        status = {**self.summary(), "appLaunchedTime": None, "appCompletedTime": None, "appExitType": self.exit_type,
                  "appExitSpec": {"type": self.exit_type, "phrase": self.phrase} if self.exit_type else None}
        return {"name": self.name, "jobStatus": status, "taskRoles": {}}


class FakePai:
    """`with FakePai(storage, mount) as pai:`; `pai.url` is its address, `pai.token` what it accepts."""

    def __init__(self, storage, mount, tls=None):
        self.storage, self.mount, self.tls = str(storage), mount, tls
        self.user, self.token, self.runs = "ana", "token-one", True
        self.jobs, self.requests, self.lock = {}, [], threading.RLock()
        self.trouble = {}  # method and path pattern: (status, body) or "drop", "drop after" or seconds to wait
        self.port, self.server = 0, None
        self.under_way = 0  # requests that are not answered yet

    # ---- the server ---------------------------------------------------------------------------------------------------

    def __enter__(self):
        self.open()
        return self

    def __exit__(self, *_):
        self.close()
        self.kill_all()

    def open(self):
        pai = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                pai.handle(self, "GET")

            def do_POST(self):
                pai.handle(self, "POST")

            def do_PUT(self):
                pai.handle(self, "PUT")

        class Server(ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                """A client that goes away, or does not trust the certificate, is part of the play."""

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self):
        """The server goes away; its jobs run on."""
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://{'localhost' if self.tls else '127.0.0.1'}:{self.port}"

    def handle(self, request, method):
        with self.lock:
            self.under_way += 1
        try:
            self.serve(request, method)
        finally:
            with self.lock:
                self.under_way -= 1

    def serve(self, request, method):
        length = int(request.headers.get("Content-Length") or 0)
        body = request.rfile.read(length).decode()
        with self.lock:
            self.requests.append((method, request.path, request.headers.get("Content-Type")))
            trouble = next((what for pattern, what in self.trouble.items() if re.search(pattern, f"{method} {request.path}")), None)
        if trouble == "drop":
            request.close_connection = True
            return request.connection.close()
        if isinstance(trouble, (int, float)):
            time.sleep(trouble)
        if isinstance(trouble, tuple):
            status, answer = trouble
        else:
            with self.lock:
                status, answer = self.answer(method, request, body)
        if trouble == "drop after":
            request.close_connection = True
            return request.connection.close()
        text = answer if isinstance(answer, str) else json.dumps(answer)
        try:
            request.send_response(status)
            request.send_header("Content-Type", "application/json")
            request.send_header("Content-Length", str(len(text.encode())))
            request.end_headers()
            request.wfile.write(text.encode())
        except OSError:
            pass

    # ---- PAI's API ----------------------------------------------------------------------------------------------------

    def answer(self, method, request, body):
        parts = urlsplit(request.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return 401, {"code": "UnauthorizedUserError", "message": "Your token is invalid."}
        path = parts.path
        if path == "/rest-server/api/v2/jobs":
            return self.submit(request, body) if method == "POST" else self.list(query)
        if cluster := re.fullmatch(r"/rest-server/api/v2/virtual-clusters/([^/]+)", path):
            return self.virtual_cluster(cluster[1])
        if job := re.fullmatch(r"/rest-server/api/v2/jobs/([^/~]+)~([^/]+)(/executionType)?", path):
            found = self.jobs.get(job[2]) if job[1] == self.user else None
            if found is None:
                return 404, {"code": "NoJobError", "message": f"Job {job[1]}~{job[2]} is not found."}
            return self.execute(found, body) if job[3] and method == "PUT" else (200, found.detail())
        return 404, {"code": "NoApiError", "message": f"API {path} is not found."}

    def submit(self, request, body):
        try:
            protocol = json.loads(body)  # a client may send YAML; ours sends the JSON that is YAML too
        except ValueError:
            return 400, {"code": "InvalidProtocolError", "message": "the protocol cannot be parsed"}
        if problem := self.problem_of(request, protocol):
            return 400, {"code": "InvalidProtocolError", "message": problem}
        cluster = protocol.get("defaults", {}).get("virtualCluster", "default")
        if cluster not in ("default", "vc1"):
            return 404, {"code": "NoVirtualClusterError", "message": f"Virtual cluster {cluster} is not found."}
        if protocol["name"] in self.jobs:
            return 409, {"code": "ConflictJobError", "message": f"Job {self.user}~{protocol['name']} already exists."}
        job = self.jobs[protocol["name"]] = Job(self.user, protocol)
        if self.runs:
            self.run(job)
        return 202, {"status": 202, "message": f"Update job {job.name} for user {self.user} successfully."}

    @staticmethod
    def problem_of(request, protocol):
        """What the server's schema would refuse."""
        if "yaml" not in (request.headers.get("Content-Type") or ""):
            return "expected text/yaml"
        if protocol.get("protocolVersion") not in (2, "2") or protocol.get("type") != "job":
            return "expected protocolVersion 2 and type job"
        if not NAME.match(protocol.get("name", "")) or not protocol.get("taskRoles"):
            return "name or taskRoles"
        images = {one["name"] for one in protocol.get("prerequisites", []) if one.get("type") == "dockerimage" and one.get("uri")}
        for name, role in protocol["taskRoles"].items():
            resources = role.get("resourcePerInstance", {})
            if role.get("dockerImage") not in images:
                return f"{name}: no image {role.get('dockerImage')}"
            if not all(isinstance(resources.get(key), int) for key in ("cpu", "memoryMB", "gpu")):
                return f"{name}: resources {resources}"
            if not role.get("commands"):
                return f"{name}: no commands"
        return None

    def list(self, query):
        return 200, [job.summary() for job in self.jobs.values() if query.get("keyword", "") in job.name and query.get("username") == job.user]

    def virtual_cluster(self, name):
        total = {"cpu": 64, "vCores": 64, "memory": 1000, "gpu": 8, "GPUs": 8}
        return 200, {"capacity": 1, "usedCapacity": 1, "maxCapacity": 1, "resourcesUsed": {**total, "vCores": 60}, "resourcesGuaranteed": total,
                     "resourcesTotal": total, "name": name}

    def execute(self, job, body):
        value = json.loads(body).get("value")
        if value != "STOP":
            return 400, {"code": "InvalidParametersError", "message": f"executionType {value}"}
        job.execution = "STOP"
        if job.process is None and job.state == "WAITING":
            job.state, job.sub_state = "STOPPED", "Completed"
        elif job.state == "RUNNING":
            job.state = "STOPPING"
            self.kill(job)
        return 202, {"status": 202, "message": f"Execute job {self.user}~{job.name} successfully."}

    # ---- containers ---------------------------------------------------------------------------------------------------

    def run(self, job):
        """Starts the container of a job's first task role; a second time, too, as PAI does after a node was lost."""
        role = next(iter(job.protocol["taskRoles"].values()))
        storages = job.protocol.get("extras", {}).get("storages", [])
        mounted = any(one.get("mountPath", f"/mnt/{one['name']}") == self.mount for one in storages)
        commands = "\n".join(role["commands"])
        job.state, job.sub_state, job.runs = "RUNNING", "AttemptRunning", job.runs + 1
        environment = {**os.environ, "PAI_JOB_NAME": job.name, "PAI_USER_NAME": self.user}
        job.process = subprocess.Popen(["bash", "-c", self.mapped(commands) if mounted else commands], env=environment, start_new_session=True,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        threading.Thread(target=self.reap, args=(job, job.process), daemon=True).start()

    def mapped(self, text):
        """The script names the container's paths; here they stand for the storage, so a copy of it is run that says so."""
        def copy(match):
            script = match[0].strip("'").replace(self.mount, self.storage, 1)
            if not os.path.exists(script):
                return match[0]
            with open(script) as source, open(script + ".here", "w") as target:
                target.write(source.read().replace(self.mount, self.storage))
            return script + ".here"

        return re.sub(r"'" + re.escape(self.mount) + r"[^']*'", copy, text)

    def reap(self, job, process):
        code = process.wait()
        with self.lock:
            if job.process is not process:
                return
            job.process, job.sub_state = None, "Completed"
            if job.state == "STOPPING":
                job.state = "STOPPED"
            else:
                code = code if code >= 0 else 128 - code
                job.state, job.exit_code = ("SUCCEEDED" if code == 0 else "FAILED"), code
                job.exit_type, job.phrase = ("USER_SUCCESS" if code == 0 else "USER_FAILURE"), "Succeeded" if code == 0 else "FailedByUser"

    def kill(self, job):
        """All processes of the container, those in groups of their own too."""
        for entry in os.listdir("/proc"):
            try:
                if entry.isdigit() and os.getsid(int(entry)) == job.process.pid:
                    os.kill(int(entry), signal.SIGKILL)
            except OSError:
                pass

    def kill_all(self):
        with self.lock:
            for job in self.jobs.values():
                if job.process is not None:
                    job.state = "STOPPING"
                    self.kill(job)

    def lose(self, job):
        """The node of a job is gone; PAI starts it again elsewhere."""
        with self.lock:
            process, job.process = job.process, None
        for entry in os.listdir("/proc"):
            try:
                if entry.isdigit() and os.getsid(int(entry)) == process.pid:
                    os.kill(int(entry), signal.SIGKILL)
            except OSError:
                pass
        with self.lock:
            self.run(job)

    def fail(self, job, exit_type, code, phrase):
        with self.lock:
            job.state, job.sub_state, job.exit_code, job.exit_type, job.phrase = "FAILED", "Completed", code, exit_type, phrase

    def asked(self, pattern):
        with self.lock:
            return [f"{method} {path}" for method, path, _ in self.requests if re.search(pattern, f"{method} {path}")]

    @property
    def only(self):
        with self.lock:
            assert len(self.jobs) == 1, list(self.jobs)
            return next(iter(self.jobs.values()))
