"""A hub to be measured, with the LMTP node behind it, and what a process has used."""

import os
import pathlib

from harness.certificates import Certificate
from harness.hub import Cluster, Hub

from .load import Sink

LIMITS = {"on": {}, "off": {"max_size": 0}, "full": {"max_size": "2MiB"}}


class Node:
    def __init__(self, name, sink):
        self.name = name
        self.deliver_to = sink.deliver_to


class MeasuredHub:
    """A hub whose recipients are all on one cluster. `dumpster`: on, off or full; `settings` as `Hub` takes them."""

    def __init__(self, workspace, name="hub", dumpster="on", tls=False, settings=None, groups=("sg1",), recipients=None):
        self.sink = Sink(workspace, f"{name}-node")
        nodes = [Node("node1", self.sink), Node("node2", self.sink)]
        cluster = Cluster("ccr1", nodes, groups=groups, limits=LIMITS[dumpster])
        self.hub = Hub(workspace, [cluster], recipients or ["@example.test ccr1/sg1"], f"{name}.example.test", settings)
        if tls:
            made = Certificate(workspace.base, f"{name}-tls", key_type="ec")  # as most authorities issue them by now
            listener = {"address": f"127.0.0.1:{self.hub.smtp_port}", "protocol": "smtp"}
            listener |= {"tls": "implicit", "certificate": made.path, "key": made.key}
            self.hub.settings = {**self.hub.settings, "listener": [listener]}
        self.hub.start()

    @property
    def port(self):
        return self.hub.smtp_port

    def processor_seconds(self):
        fields = pathlib.Path(f"/proc/{self.hub.process.id}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """(now, most since the start) in MiB."""
        lines = pathlib.Path(f"/proc/{self.hub.process.id}/status").read_text().splitlines()
        found = dict(line.split(":", 1) for line in lines if line.startswith(("VmRSS", "VmHWM")))
        return int(found["VmRSS"].split()[0]) // 1024, int(found["VmHWM"].split()[0]) // 1024
