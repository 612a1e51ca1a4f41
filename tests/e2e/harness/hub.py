"""A hub of the tests: dumpsterd with a configuration, ports and a store of its own."""

import hashlib
import os
import pathlib
import signal
import subprocess

from . import http_calls
from .processes import Process, free_port, wait_until
from .toml_text import toml_text

ADDRESS = "127.0.0.1"
TOKENS = {"admin": "admin-token-of-the-tests", "read": "read-token-of-the-tests"}


class Cluster:
    """A cluster as the hub is told about it: `nodes` are objects with `name` and `deliver_to`, the first is active."""

    def __init__(self, name, nodes, groups=("sg1",), limits=None):
        self.name = name
        self.nodes = list(nodes)
        self.groups = list(groups)
        self.limits = limits or {}

    def table(self):
        return {
            "name": self.name,
            "active": self.nodes[0].name,
            "node": [{"name": node.name, "deliver_to": node.deliver_to} for node in self.nodes],
            "storage_group": [{"name": group, **self.limits} for group in self.groups],
        }


class Hub:
    """Writes its configuration when started, so that fields may be changed between two starts."""

    def __init__(self, workspace, clusters=(), recipients=(), name="hub1.example.test", settings=None):
        self.base = workspace.base / name.split(".")[0]
        self.bin = workspace.bin
        self.name = name
        self.clusters = list(clusters)
        self.recipients = list(recipients)
        self.settings = settings or {}  # per table of the configuration
        self.smtp_port = free_port()
        self.recovery_address = f"{ADDRESS}:{free_port()}"
        self.metrics_address = f"{ADDRESS}:{free_port()}"
        self.environment = {}  # of the process, beside the test's own
        self.process = None
        workspace.own(self)

    @property
    def url(self):
        return f"http://{self.recovery_address}"

    @property
    def configuration(self):
        return self.base / "dumpsterd.toml"

    @property
    def data(self):
        return self.base / "data"

    @property
    def admin_socket(self):
        return self.base / "admin.sock"

    def tables(self):
        """The configuration as written: tests take it, change it and write it themselves."""
        tables = {
            "hub": {"name": self.name, "data_dir": self.data, "admin_socket": self.admin_socket},
            "listener": [{"address": f"{ADDRESS}:{self.smtp_port}", "protocol": "smtp"}],
            "relay": {"retry_min": "250ms", "retry_max": "1s"},
            "directory": {"type": "file", "path": self.base / "recipients"},
            "cluster": [cluster.table() for cluster in self.clusters],
            "dumpster": {},
            "recovery": {"address": self.recovery_address, "tokens": self.base / "tokens"},
            "metrics": {"address": self.metrics_address},
        }
        for table, values in self.settings.items():
            if isinstance(values, list):
                tables[table] = values
            else:
                tables[table].update(values)
        return {name: table for name, table in tables.items() if table or table == {}}

    def token_of(self, cluster, node):
        return f"agent-token-of-{cluster}-{node}"

    def write(self):
        self.base.mkdir(parents=True, exist_ok=True)
        (self.base / "recipients").write_text("".join(f"{line}\n" for line in self.recipients))
        lines = [f"{token} {role} *\n" for role, token in TOKENS.items()]
        for cluster in self.clusters:
            for node in cluster.nodes:
                lines.append(f"{self.token_of(cluster.name, node.name)} agent {cluster.name}/{node.name}\n")
        tokens = self.base / "tokens"
        tokens.write_text("".join(lines))
        tokens.chmod(0o600)
        self.configuration.write_text(toml_text(self.tables()))

    def start(self, ready=True):
        self.write()
        self.process = Process([self.bin / "dumpsterd", "--config", self.configuration], self.base / "hub.log", self.environment)
        if ready:
            self.wait_ready()
        return self

    def wait_ready(self, seconds=30):
        def is_ready():
            if not self.process.alive():
                raise AssertionError(f"the hub ended with {self.process.status}\n{self.log()[-4000:]}")
            try:
                return http_calls.get(self.metrics_address, "/readyz")[0] == 200
            except OSError:
                return False

        wait_until(is_ready, seconds, lambda: f"the hub is ready\n{self.log()[-4000:]}")

    def stop(self, seconds=30):
        return self.process.stop(seconds)

    def kill(self):
        if self.process:
            self.process.kill()

    def reload(self):
        self.process.signal(signal.SIGHUP)

    def check(self):
        """dumpsterd --check of the configuration as it stands in the file."""
        return run([self.bin / "dumpsterd", "--config", self.configuration, "--check"])

    def log(self):
        path = self.base / "hub.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def samples(self):
        return http_calls.samples(http_calls.get(self.metrics_address, "/metrics")[1])

    def metric(self, name, **labels):
        return http_calls.total(self.samples(), name, **labels)

    def api(self, token=None, node=None):
        return http_calls.RecoveryApi(self.recovery_address, token or TOKENS["admin"], node)

    def control(self, *arguments, **options):
        return run([self.bin / "dumpsterctl", "--socket", self.admin_socket, *arguments], **options)

    def wait_spool_empty(self, seconds=60):
        def is_empty():
            now = self.samples()
            going = [http_calls.total(now, "recovery_resubmissions", state=state) for state in ("running", "paused")]
            return not http_calls.total(now, "relay_spool_messages") and not any(going)

        wait_until(is_empty, seconds, lambda: f"the spool is empty\n{self.log()[-3000:]}", pause=0.2)


def run(command, timeout=60, environment=None):
    """Runs a program to its end; never from the terminal."""
    return subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
    )


def file_digests(directory):
    """{path: digest} of all files below a directory."""
    root = pathlib.Path(directory)
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
