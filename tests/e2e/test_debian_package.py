"""The Debian package: made of this build, unpacked, and started from where it lies."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import BIN, PATIENCE, Daemon, config, is_alive

BUILD = BIN.parent
PROGRAMS = ("lathed", "lathectl", "lathe-agent", "lathe-trial")
TOOLS = ("cpack", "dpkg-deb", "dpkg-shlibdeps")


def run(*command, **more):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, timeout=120 * PATIENCE, **more).stdout


class PackagedDaemon(Daemon):
    """Started by the unit's own words, from the folder into which the package was unpacked."""

    def __init__(self, folder, tree):
        super().__init__(folder)
        self.tree = tree

    def command(self, port=0):
        words = unit(self.tree, "Service", "ExecStart")[0].split()
        values = {"%S/lathe": str(self.data), "$LATHED_OPTIONS": f"--port={port}"}
        return [str(self.tree) + words[0], *(values.get(word, word) for word in words[1:])]


def unit(tree, section, key):
    """The values of a key of lathed.service."""
    values, inside = [], ""
    for line in (tree / "usr/lib/systemd/system/lathed.service").read_text().splitlines():
        inside = line.strip("[]") if line.startswith("[") else inside
        if inside == section and line.startswith(key + "="):
            values.append(line.split("=", 1)[1])
    return values


class DebianPackage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if absent := [tool for tool in TOOLS if shutil.which(tool) is None]:
            raise unittest.SkipTest(f"CANNOT MAKE A DEBIAN PACKAGE: {', '.join(absent)} is missing (packages cmake, dpkg, dpkg-dev)")
        if not (BUILD / "CPackConfig.cmake").exists():
            raise unittest.SkipTest(f"CANNOT MAKE A DEBIAN PACKAGE: {BUILD} is no build folder")
        cls.folder = Path(tempfile.mkdtemp(prefix="lathe-deb-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        # Compressing costs most of the time, and is not what is tested.
        run("cpack", "-G", "DEB", "--config", BUILD / "CPackConfig.cmake", "-B", cls.folder, "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=none", cwd=cls.folder)
        (cls.package,) = cls.folder.glob("*.deb")
        cls.tree, cls.control = cls.folder / "tree", cls.folder / "control"
        run("dpkg-deb", "-x", cls.package, cls.tree)
        run("dpkg-deb", "-e", cls.package, cls.control)

    def field(self, name):
        return run("dpkg-deb", "-f", self.package, name).strip()

    def test_it_says_what_it_is_and_needs(self):
        version = run(self.tree / "usr/bin/lathed", "--version").split()[-1]
        self.assertEqual((self.field("Package"), self.field("Version")), ("lathe", version))
        self.assertEqual(self.package.name, f"lathe_{version}_{self.field('Architecture')}.deb")
        needed = {word.split()[0] for word in self.field("Depends").split(",")}
        self.assertLessEqual({"systemd", "libc6"}, needed)
        self.assertTrue(any(name.startswith("libsqlite3") for name in needed), needed)
        self.assertIn("openssh-client", self.field("Recommends"))

    def test_files_belong_to_root_and_only_root_writes_them(self):
        for line in run("dpkg-deb", "-c", self.package).splitlines():
            mode, owner, *_, path = line.split()
            self.assertEqual(owner, "root/root", path)
            self.assertEqual((mode[5], mode[8]), ("-", "-"), path)
            if path.startswith("./usr/bin/") and not path.endswith("/"):
                self.assertEqual(mode, "-rwxr-xr-x", path)
        self.assertEqual(sorted(path.name for path in (self.tree / "usr/bin").iterdir()), sorted(PROGRAMS))

    def test_settings_survive_an_upgrade(self):
        self.assertEqual((self.control / "conffiles").read_text().split(), ["/etc/default/lathed"])
        self.assertIn("LATHED_OPTIONS", (self.tree / "etc/default/lathed").read_text())

    def test_the_unit_names_what_is_there(self):
        for key, section in (("ExecStart", "Service"), ("EnvironmentFile", "Service"), ("Documentation", "Unit")):
            for value in unit(self.tree, section, key):
                path = value.split()[0].removeprefix("file:").removeprefix("-")
                self.assertTrue((self.tree / path.lstrip("/")).exists(), f"{key}={value}")
        users = [line.split() for line in (self.tree / "usr/lib/sysusers.d/lathe.conf").read_text().splitlines()]
        self.assertIn(unit(self.tree, "Service", "User")[0], [words[1] for words in users if words[0] == "u"])

    def test_the_unit_is_one_to_systemd(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd-analyze is not installed")
        # It looks for the programs in the system's own folders: what it says of those is not about the unit.
        told = subprocess.run(["systemd-analyze", "verify", "--root", str(self.tree), "lathed.service"], capture_output=True, text=True)
        about = [line for line in told.stderr.splitlines() if "lathed.service" in line and "not executable" not in line and "not found" not in line]
        self.assertEqual(about, [])

    def test_maintainer_scripts(self):
        """In front of programs that write down how they are called."""
        tools, calls = self.folder / "tools", self.folder / "calls"
        tools.mkdir()
        for name in ("systemctl", "systemd-sysusers"):
            (tools / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{calls}\n')
            (tools / name).chmod(0o755)

        def called(script, *arguments):
            calls.write_text("")
            run(self.control / script, *arguments, env={"PATH": f"{tools}:/usr/bin:/bin"})
            return calls.read_text().splitlines()

        is_booted = Path("/run/systemd/system").is_dir()
        reload = ["systemctl daemon-reload"] if is_booted else []
        restart = ["systemctl try-restart lathed.service"] if is_booted else []
        self.assertEqual(called("postinst", "configure"), ["systemd-sysusers lathe.conf", *reload])
        self.assertEqual(called("postinst", "configure", "0.0.1"), ["systemd-sysusers lathe.conf", *reload, *restart])
        self.assertEqual(called("prerm", "upgrade", "9"), [], "trials go on")
        self.assertEqual(called("prerm", "remove")[:1], ["systemctl disable --now lathed.service"] if is_booted else [])
        self.assertEqual(called("postrm", "purge"), reload)

    def test_it_works_from_where_it_lies(self):
        daemon = PackagedDaemon(self.folder, self.tree)
        self.addCleanup(daemon.clean_up)
        daemon.start()
        self.assertEqual(daemon.client.request("GET", "/api/v1/experiments").status, 401, "the unit asks for a token")
        page = daemon.client.request("GET", "/")
        self.assertEqual((page.status, page.body), (200, (self.tree / "usr/share/lathe/webui/index.html").read_bytes()))
        (self.folder / "experiment.json").write_text(json.dumps(config("true", maxTrialNumber=1)))

        def lathectl(*arguments):
            return run(self.tree / "usr/bin/lathectl", "--url", daemon.url, "--token-file", daemon.data / "operator-token", *arguments,
                       cwd=self.folder, env={**os.environ, "PATH": "/usr/bin:/bin"})

        self.assertIn("SUCCEEDED", lathectl("create", "--config", "experiment.json", "--wait") + lathectl("trial", "ls"))
        agent = int((daemon.data / "agents/local/lock").read_text().split()[0])
        self.assertEqual(os.readlink(f"/proc/{agent}/exe"), str(self.tree / "usr/bin/lathe-agent"))
        self.assertTrue(run(self.tree / "usr/bin/lathe-trial", "--version").strip())
        daemon.terminate()
        self.assertTrue(is_alive(agent), "--keep-trials: the agent is there for the next start")


if __name__ == "__main__":
    unittest.main()
