"""Machines behind bad lines: network namespaces whose only way out is a line that delays, loses, and can be cut in either direction.

    with PrivateNetwork() as network:           # this thread and what it starts see the loopback address and the lines alone
        line = network.line()
        line.start(["sshd", ...])               # at the far end, whose address is line.address
        line.worsen(delay=0.1, jitter=0.02, loss=0.05)
        line.cut(); line.cut(back=False); line.mend()

A line is a thread between two TUN devices, so it needs no module of the kernel (netem), and chance has a seed. Nothing has a name
in the system: namespaces and devices go with the descriptors that hold them, however the test ends. Needs root (CAP_SYS_ADMIN,
CAP_NET_ADMIN), /dev/net/tun and the Debian package iproute2; `missing()` says what is not there.
"""

import ctypes
import fcntl
import heapq
import itertools
import os
import random
import select
import shutil
import struct
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
TUN = Path("/dev/net/tun")
MTU = 1500
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])

_libc = ctypes.CDLL(None, use_errno=True)


def missing():
    """Why there can be no bad network here, and what to do; None when there can."""
    if shutil.which("ip", path=PATH) is None:
        return "install the package iproute2"
    try:
        with PrivateNetwork() as network:
            network.line()
    except OSError as error:
        return f"{error}: run as root, with CAP_SYS_ADMIN, CAP_NET_ADMIN and {TUN}"
    return None


class PrivateNetwork:
    """A network namespace for the thread that enters it."""

    def __init__(self, seed=1):
        self.seed, self.lines = seed, []
        self.here, self._before = None, None

    def __enter__(self):
        self._before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.here = Namespace()
        self.here.enter()
        return self

    def __exit__(self, *_):
        for line in self.lines:
            line.close()
        _check(_libc.setns(self._before, CLONE_NEWNET), "setns")
        os.close(self._before)
        self.here.close()

    def line(self):
        """A line to a new namespace."""
        line = Line(self.here, len(self.lines), self.seed)
        self.lines.append(line)
        return line


class Namespace:
    def __init__(self):
        self._descriptor = _in_a_thread(self._make)

    @staticmethod
    def _make():
        _check(_libc.unshare(CLONE_NEWNET), "cannot make a network namespace")
        ip("link", "set", "lo", "up")
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def enter(self):
        """For the thread that calls, and for the processes and threads that it starts from now on."""
        _check(_libc.setns(self._descriptor, CLONE_NEWNET), "setns")

    def do(self, act):
        """What act() returns or raises when it is called in there."""

        def inside():
            self.enter()
            return act()

        return _in_a_thread(inside)

    def close(self):
        os.close(self._descriptor)


class Direction:
    """One way along a line: how it is at the moment, and how many packets it has carried and lost."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.delay = self.jitter = self.loss = 0.0
        self.is_cut, self.carried, self.lost = False, 0, 0

    def wait(self):
        """Seconds until a packet arrives; None when it does not. As with netem, jitter may let one overtake another."""
        if self.is_cut or self.chance.random() < self.loss:
            self.lost += 1
            return None
        self.carried += 1
        return max(0.0, self.delay + self.chance.uniform(-self.jitter, self.jitter))


class Line:
    def __init__(self, here, index, seed):
        self.near_address, self.address = f"198.18.{index}.1", f"198.18.{index}.2"  # a range for tests of networks (RFC 2544)
        self.device = f"line{index}"
        self.here, self.far_end = here, Namespace()
        self.there, self.back = Direction(f"{seed} {index} there"), Direction(f"{seed} {index} back")
        self._near = here.do(lambda: open_tun(self.device, self.near_address, self.address))
        self._far = self.far_end.do(lambda: open_tun(self.device, self.address, self.near_address))
        self._closing, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def start(self, command, **options):
        """subprocess.Popen at the far end."""
        return self.far_end.do(lambda: subprocess.Popen(command, **options))

    # ---- weather -----------------------------------------------------------------------------------------------------

    def worsen(self, delay, jitter, loss):
        """Seconds one way, and the part of the packets that is lost on each way."""
        for way in (self.there, self.back):
            way.delay, way.jitter, way.loss = delay, jitter, loss

    def cut(self, there=True, back=True):
        """Packets vanish without a word, in one direction or both."""
        self.there.is_cut, self.back.is_cut = there, back

    def pull(self):
        """This machine knows that its end is not plugged in."""
        self.here.do(lambda: ip("link", "set", self.device, "down"))

    def mend(self):
        self.cut(False, False)
        self.worsen(0, 0, 0)
        self.here.do(lambda: ip("link", "set", self.device, "up"))

    def lost(self):
        """Packets that did not arrive so far, in both directions."""
        return self.there.lost + self.back.lost

    # ---- the wire ----------------------------------------------------------------------------------------------------

    def _carry(self):
        ends = {self._near: (self.there, self._far), self._far: (self.back, self._near)}
        order, under_way = itertools.count(), []
        while True:
            wait = max(0.0, under_way[0][0] - time.monotonic()) if under_way else None
            ready = select.select([*ends, self._closing], [], [], wait)[0]
            if self._closing in ready:
                return
            for end in ready:
                way, target = ends[end]
                packet = _read(end)
                seconds = way.wait() if packet and packet[0] >> 4 == 4 else None  # IPv6 talks to itself here
                if seconds is not None:
                    heapq.heappush(under_way, (time.monotonic() + seconds, next(order), target, packet))
            while under_way and under_way[0][0] <= time.monotonic():
                _, _, target, packet = heapq.heappop(under_way)
                _write(target, packet)

    def close(self):
        os.write(self._wake, b"x")
        self._thread.join()
        for descriptor in (self._near, self._far, self._closing, self._wake):
            os.close(descriptor)
        self.far_end.close()


def open_tun(name, address, peer):
    """A device in this thread's namespace, and the descriptor that its packets pass."""
    descriptor = os.open(TUN, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
        ip("addr", "add", address, "peer", peer, "dev", name)
        ip("link", "set", name, "mtu", str(MTU), "up")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def ip(*arguments):
    done = subprocess.run([shutil.which("ip", path=PATH), *arguments], capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


def _read(end):
    try:
        return os.read(end, 1 << 16)
    except OSError:  # a device that is down
        return b""


def _write(end, packet):
    try:
        os.write(end, packet)
    except OSError:
        pass


def _in_a_thread(act):
    """Threads have network namespaces of their own, so what act() does to it concerns nobody else."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(act).result()


def _check(answer, what):
    if answer != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
