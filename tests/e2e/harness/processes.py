"""Processes of the tests: started in a session of their own, watched, and ended by their id alone."""

import os
import pathlib
import signal
import socket
import subprocess
import time


class TooLate(AssertionError):
    """Something did not come about in the time it had."""


def wait_until(condition, seconds, what, pause=0.05):
    """Waits until `condition()` is true and returns its value; raises TooLate after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TooLate(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(pause)


_given_ports = set()


def free_port(address="127.0.0.1"):
    """A port of `address` that nobody listens on now and that was not given out before."""
    while True:
        with socket.socket() as probe:
            probe.bind((address, 0))
            port = probe.getsockname()[1]
        if port > 20000 and port not in _given_ports:
            _given_ports.add(port)
            return port


def answers(address, port):
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False


def session_members(session):
    """Ids of the living processes of a session: (id, command name)."""
    members = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            text = (entry / "stat").read_text()
        except OSError:
            continue
        name = text[text.index("(") + 1 : text.rindex(")")]
        state, _, _, its_session = text[text.rindex(")") + 2 :].split()[:4]
        if int(its_session) == session and state not in "ZX":
            members.append((int(entry.name), name))
    return members


# A test that is killed takes its programs along; deploy/demo --keep turns this off.
DIE_WITH_PARENT = ["setpriv", "--pdeathsig", "KILL", "--"]


class Process:
    """One program with all that it starts. Output goes to a file."""

    def __init__(self, command, log, environment=None, directory=None):
        self.command = [str(part) for part in command]
        self.log = pathlib.Path(log)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as output:
            self._popen = subprocess.Popen(
                [*DIE_WITH_PARENT, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, **(environment or {})},
                cwd=directory,
            )
        self.id = self._popen.pid

    def alive(self):
        return self._popen.poll() is None

    @property
    def status(self):
        """Exit status, negative for a signal; None while it runs."""
        return self._popen.poll()

    def output(self):
        return self.log.read_text(errors="replace")

    def signal(self, number):
        if self.alive():
            os.kill(self.id, number)

    def wait(self, seconds):
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise TooLate(f"{self.command[0]} did not end within {seconds} s\n{self.output()[-4000:]}") from None

    def stop(self, seconds=20):
        """Asks it to stop, then kills what is left. Returns the exit status."""
        self.signal(signal.SIGTERM)
        try:
            return self.wait(seconds)
        finally:
            self.kill()

    def kill(self):
        """kill -9 of the program and of everything in its session, as a power cut would."""
        for _ in range(100):
            # The program first: it would start its children again.
            members = sorted(session_members(self.id), key=lambda member: member[0] != self.id)
            for member, _ in members:
                try:
                    os.kill(member, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if not members:
                break
            time.sleep(0.01)
        self._popen.wait(10)

    def resident_bytes(self):
        """Resident memory of the program itself."""
        for line in pathlib.Path(f"/proc/{self.id}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def listening_ports(self):
        """Ports on which the program itself listens."""
        sockets = set()
        for entry in pathlib.Path(f"/proc/{self.id}/fd").iterdir():
            try:
                target = os.readlink(entry)
            except OSError:
                continue
            if target.startswith("socket:["):
                sockets.add(target[8:-1])
        ports = set()
        for table in ("tcp", "tcp6"):
            for line in pathlib.Path(f"/proc/{self.id}/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and fields[9] in sockets:
                    ports.add(int(fields[1].rsplit(":", 1)[1], 16))
        return ports
