"""The load: Postfix's smtp-source or our mail_source as the clients, smtp-sink as the mailbox node."""

import json
import os
import re
import statistics
import subprocess
import time

from harness.processes import Process, answers, free_port, wait_until
from harness.workspace import program_directory


class Sink:
    """smtp-sink as an LMTP node (or an SMTP server) that counts the messages it has taken."""

    def __init__(self, workspace, name, lmtp=True):
        self.port = free_port()
        self.name = name
        protocol = ["-L"] if lmtp else []
        command = ["smtp-sink", "-u", "postfix", "-c", *protocol, f"127.0.0.1:{self.port}", "1000"]
        self._process = workspace.own(Process(command, workspace.base / f"{name}.log"))
        wait_until(lambda: answers("127.0.0.1", self.port), 10, f"{name} answers")

    @property
    def deliver_to(self):
        return f"lmtp://127.0.0.1:{self.port}"

    def taken(self):
        """Messages so far: the last of the running counters that it prints over each other."""
        counts = re.findall(r"mesg=(\d+)", self._process.output()[-400:])
        return int(counts[-1]) if counts else 0


def send(port, messages, case, recipient="user@example.test"):
    """Seconds that smtp-source needs for `messages` to 127.0.0.1:port; fails when one of them is refused."""
    options = ["-s", str(case.sessions), "-l", str(case.size), "-m", str(messages), "-r", str(case.recipients)]
    if case.kept:
        options.append("-d")
    command = ["smtp-source", *options, "-f", "sender@example.net", "-t", recipient, f"127.0.0.1:{port}"]
    begun = time.monotonic()
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True, timeout=600)
    return time.monotonic() - begun


def through(port, sink, messages, case):
    """Messages a second from the first connection until the node has taken the last one."""
    before = sink.taken()
    begun = time.monotonic()
    send(port, messages, case)
    expected = messages * case.transactions
    wait_until(lambda: sink.taken() - before >= expected, 600, f"{sink.name} has taken {expected}", pause=0.01)
    return messages / (time.monotonic() - begun)


def mail_source(hub, case, tls, rate=0):
    """What mail_source prints, and as "through" the messages a second until the node has taken the last one."""
    before = hub.sink.taken()
    command = [program_directory() / "mail_source", "--port", hub.port, "--sessions", case.sessions]
    command += ["--messages", case.messages, "--size", case.size, "--rate", rate]
    command += ["--tls"] * tls + ["--each"] * (not case.kept)
    begun = time.monotonic()
    ended = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, timeout=600)
    wait_until(lambda: hub.sink.taken() - before >= case.messages, 600, "the node has taken all", pause=0.01)
    return {**json.loads(ended.stdout), "through": case.messages / (time.monotonic() - begun)}


def median_sync(folder, times=200):
    """Seconds that a small synced write to this disk takes while nothing else goes on."""
    path, took = folder / "sync-probe", []
    with open(path, "wb", buffering=0) as file:
        for _ in range(times):
            file.write(b"x" * 4096)
            begun = time.monotonic()
            os.fdatasync(file.fileno())
            took.append(time.monotonic() - begun)
    path.unlink()
    return statistics.median(took)
