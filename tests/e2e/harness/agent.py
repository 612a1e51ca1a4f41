"""An agent of the tests: dumpster-agent with a configuration and a state of its own."""

from . import http_calls
from .hub import run
from .processes import Process, free_port, wait_until
from .toml_text import toml_text


class Agent:
    """The agent of one node. `inventory` is the table of that name in its configuration."""

    def __init__(self, workspace, cluster, node, hubs, inventory, settings=None):
        self.base = workspace.base / f"agent-{cluster}-{node}"
        self.bin = workspace.bin
        self.cluster = cluster
        self.node = node
        self.hubs = list(hubs)
        self.inventory = inventory
        self.settings = settings or {}
        self.environment = {}  # of its processes, beside the test's own
        self.metrics_address = None
        self.process = None

    @property
    def configuration(self):
        return self.base / "dumpster-agent.toml"

    def write(self):
        (self.base / "state").mkdir(parents=True, exist_ok=True)
        token = self.base / "token"
        token.write_text(self.hubs[0].token_of(self.cluster, self.node) + "\n")
        token.chmod(0o600)
        values = {
            "cluster": self.cluster,
            "node": self.node,
            "state_dir": self.base / "state",
            "hubs": [hub.url for hub in self.hubs],
            "token_file": token,
            "settle": "1s",
            "poll": "300ms",
            **self.settings,
            "inventory": self.inventory,
        }
        self.configuration.write_text(toml_text(values))

    def run(self, *arguments, timeout=120):
        """One command to its end, e.g. run("promote")."""
        self.write()
        command = [self.bin / "dumpster-agent", "--config", self.configuration, *arguments]
        return run(command, timeout=timeout, environment=self.environment)

    def start(self, workspace, *arguments):
        """One command in the background."""
        self.write()
        command = [self.bin / "dumpster-agent", "--config", self.configuration, *arguments]
        return workspace.own(Process(command, self.base / f"{arguments[0]}.log", self.environment))

    def watch(self, workspace):
        """Starts `watch`, and waits for its first round."""
        if not self.metrics_address:
            self.metrics_address = f"127.0.0.1:{free_port()}"
            self.settings = {**self.settings, "metrics": self.metrics_address}
        self.process = self.start(workspace, "watch")
        wait_until(self._has_looked, 20, lambda: f"the agent watches\n{self.log()[-3000:]}")
        return self

    def _has_looked(self):
        try:
            return self.metric("agent_rounds_total", result="done")
        except OSError:
            return None

    def metric(self, name, **labels):
        samples = http_calls.samples(http_calls.get(self.metrics_address, "/metrics")[1])
        return http_calls.total(samples, name, **labels)

    def log(self):
        path = self.base / "watch.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def get_in_touch(self):
        """Lets every hub know of the agent; of the active node's agent it then waits for evidence."""
        for hub in self.hubs:
            hub.api(hub.token_of(self.cluster, self.node), self.node).cluster(self.cluster)
