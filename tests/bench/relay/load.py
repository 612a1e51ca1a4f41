"""Postfix's own load tools: smtp-source as the clients, smtp-sink as the mailbox node."""

import re
import subprocess
import time

from harness.processes import Process, answers, free_port, wait_until


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


def send(port, messages, case):
    """Seconds that smtp-source needs for `messages` to 127.0.0.1:port; fails when one of them is refused."""
    options = ["-s", str(case.sessions), "-l", str(case.size), "-m", str(messages), "-r", str(case.recipients)]
    if case.kept:
        options.append("-d")
    command = ["smtp-source", *options, "-f", "sender@example.net", "-t", "user@example.test", f"127.0.0.1:{port}"]
    begun = time.monotonic()
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True, timeout=600)
    return time.monotonic() - begun


def through(port, sink, messages, case):
    """Messages a second from the first connection until the node has taken the last one."""
    before = sink.taken()
    begun = time.monotonic()
    send(port, messages, case)
    wait_until(lambda: sink.taken() - before >= messages, 600, f"{sink.name} has taken {messages}", pause=0.01)
    return messages / (time.monotonic() - begun)
