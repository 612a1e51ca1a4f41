"""A whole site: witness, power switch, two mailbox nodes under Pacemaker, two hubs, mail at a rate, and the census."""

import json
import os
import time

from harness.census import census
from harness.hub import TOKENS, Cluster
from harness.load import Load
from harness.processes import wait_until
from harness.toml_text import toml_text

from . import pacemaker
from .fencing import PowerSwitch
from .hubs import Authority, ClusterHub
from .project import installed

CLUSTER, GROUP = "ccr1", "sg1"
NODE_ADDRESSES = {"node1": "192.0.2.11", "node2": "192.0.2.12"}
HUB_ADDRESSES = {"hub1": "192.0.2.21", "hub2": "192.0.2.22"}
MAILBOXES = [f"user{number}@example.test" for number in range(1, 5)]


class Site:
    def __init__(self, workspace, node_class, fencing=True, changes=(), hub_settings=None, agent_settings=None):
        self.workspace = workspace
        self.node_class = node_class
        self.fencing = fencing
        self.changes = list(changes)
        self.witness = pacemaker.Witness(workspace)
        self.nodes = [node_class(workspace, name, address, installed()) for name, address in NODE_ADDRESSES.items()]
        self.node = {node.name: node for node in self.nodes}
        self.power = PowerSwitch(workspace, self.nodes)
        authority = Authority(workspace.base / "authority")
        recipients = [f"{mailbox} {CLUSTER}/{GROUP}" for mailbox in MAILBOXES]
        self.hubs = [
            ClusterHub(workspace, authority, name, address, Cluster(CLUSTER, self.nodes), recipients, hub_settings)
            for name, address in HUB_ADDRESSES.items()
        ]
        self.key = pacemaker.make_key(workspace.base / "authkey")
        self.loads = []
        self.agent_settings = agent_settings or {}
        for node in self.nodes:
            self._install(node, authority)

    def _install(self, node, authority):
        peer = next(other for other in self.nodes if other is not node)
        node.peer = peer
        pacemaker.install(node, self.key)
        self.power.install(node)
        node.install(authority.certificate, "/etc/dumpster-agent/ca.crt")
        node.install(self.hubs[0].token_of(CLUSTER, node.name) + "\n", "/etc/dumpster-agent/token", 0o600)
        node.install(TOKENS["admin"] + "\n", "/etc/dumpster-agent/admin-token", 0o600)
        settings = {
            "cluster": CLUSTER,
            "node": node.name,
            "state_dir": "/var/lib/dumpster-agent",
            "hubs": [hub.url for hub in self.hubs],
            "ca": "/etc/dumpster-agent/ca.crt",
            "token_file": "/etc/dumpster-agent/token",
            "settle": "2s",
            "poll": "500ms",
            "quiesce": f"/usr/lib/transport-dumpster/intake-over {self.node_class.kind}",
            **self.agent_settings,
            "inventory": node.inventory,
        }
        node.install(toml_text(settings), "/etc/dumpster-agent/dumpster-agent.toml", 0o600)
        (node.disk / "var/lib/dumpster-agent").mkdir(parents=True)
        node.install_mail_server(peer.address, MAILBOXES)

    def start(self):
        """Hubs, nodes, and node1 promoted; node2 replicates."""
        for hub in self.hubs:
            hub.start()
        first = self.nodes[0]
        first.boot()
        text = pacemaker.configuration(self.node_class.kind, self.fencing, self.changes)
        pacemaker.seed(first, self.nodes, text)
        first.kill()
        for node in self.nodes:
            node.install(node.seed, "/var/lib/pacemaker/cib/cib.xml", 0o600)
            node.script = self.node_class.before_pacemaker + pacemaker.WATCH + pacemaker.BOOT
            node.boot()
        wait_until(
            lambda: any(pacemaker.promoted_node(node) for node in self.nodes),
            180,
            lambda: f"a node is promoted\n{self.state()}",
            pause=0.3,
        )
        self.wait_started()
        for node in self.nodes:
            node.prepare_accounts()
        self.active.prepare_mailboxes(MAILBOXES)

    def wait_started(self):
        """Both nodes run the mailbox server, and the hubs know who is active."""

        def is_started():
            return len(pacemaker.online(self.nodes[0])) == 2 and all(
                node.run("pgrep", "-c", "-x", node.server_process, check=False).stdout.strip() != "0" for node in self.nodes
            )

        wait_until(is_started, 120, lambda: f"both nodes run\n{self.state()}", pause=0.3)
        active = self.active
        for hub in self.hubs:
            wait_until(lambda: hub.active() == active.name, 60, lambda: f"{hub.name} knows that {active.name} is active")

    def state(self):
        for node in self.nodes:
            if node.alive():
                return node.run("crm_mon", "-1rfA", check=False).stdout
        return "no node is alive"

    @property
    def active(self):
        for node in self.nodes:
            name = pacemaker.promoted_node(node)
            if name:
                return self.node[name]
        raise AssertionError(f"no node is promoted\n{self.state()}")

    def send(self, count=400, rate=50, prefix="mail"):
        """Mail in the background, half of it through each hub, beside what is sent already."""
        for hub in self.hubs:
            load = Load(
                25, MAILBOXES, count // len(self.hubs), connections=2, rate=rate / len(self.hubs),
                prefix=f"{prefix}.{hub.name}", address=hub.address,
            )
            self.loads.append(self.workspace.own(load).start())

    def accepted(self):
        return {mail for load in self.loads for mail in load.accepted}

    def wait_delivered(self, recipients, seconds=120):
        def delivered():
            return sum(hub.delivered() for hub in self.hubs)

        wait_until(lambda: delivered() >= recipients, seconds, lambda: f"{recipients} deliveries, not {delivered()}", pause=0.02)

    def wait_sent(self):
        for load in self.loads:
            load.join()
            if not load.finished():
                raise AssertionError(f"a hub stopped accepting: {load.refusals[-5:]}")

    def acknowledged_by(self, node, hubs=None):
        """(mailbox, message id) that the hubs, or these of them, hold as delivered by the node."""
        found = set()
        for hub in hubs or self.hubs:
            for line in hub.listed(CLUSTER, GROUP):
                if line["node"] == node.name and line["state"] in ("delivered", "absent"):
                    found |= {(recipient["mailbox"], line["message_id"]) for recipient in line["recipients"]}
        return found

    def wait_hubs_follow(self, node, since, seconds=120):
        """Seconds from `since` until every hub delivers to the node."""
        for hub in self.hubs:
            wait_until(lambda: hub.active() == node.name, seconds, lambda: f"{hub.name} follows\n{self.state()}", pause=0.05)
        return time.monotonic() - since

    def agent(self, node, *arguments):
        return node.run("dumpster-agent", "--config", "/etc/dumpster-agent/dumpster-agent.toml", *arguments, check=False)

    def wait_filled(self, node, seconds=180):
        """Until the agent has nothing pending and the hubs have delivered everything."""

        def is_filled():
            state = json.loads(node.read("/var/lib/dumpster-agent/state.json") or "{}")
            return state.get("role") == "active" and not state.get("promote")

        wait_until(is_filled, seconds, lambda: f"filled\n{self.agent(node, 'status').stdout}", pause=0.3)
        for hub in self.hubs:
            hub.wait_spool_empty(120)

    def census(self, node, lost=()):
        resubmitted = sum(hub.metric("recovery_messages_total", result="delivered") for hub in self.hubs)
        return census(self.accepted(), node.copies(), lost, resubmitted)

    def show_logs(self, tail=int(os.environ.get("DUMPSTER_CLUSTER_LOGS") or 6000)):
        print(self.state())
        for node in self.nodes:
            if node.alive():
                print(node.run("sh", "-c", "tail -n 50 /run/resource-agents/*.log", check=False).stdout)
                print(self.agent(node, "status").stdout)
            for path in ("/var/log/pacemaker/pacemaker.log", "/var/log/corosync/corosync.log", "/var/log/watch.log"):
                print(f"--- {node.name} {path}\n{node.read(path)[-tail:]}")
            print(f"--- {node.name}\n{node.log()[-tail:]}\n{node.process.output()[-2000:] if node.process else ''}", flush=True)
        for hub in self.hubs:
            print(f"--- {hub.name}\n{hub.log()[-tail:]}", flush=True)
