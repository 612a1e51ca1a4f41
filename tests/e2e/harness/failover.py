"""The main job with real mailbox servers: a failover that loses mail, and the refill that brings it back."""

from . import dovecot
from .agent import Agent
from .census import acknowledged_by, census
from .hub import Cluster, Hub
from .load import Load
from .processes import wait_until

CLUSTER, GROUP = "ccr1", "sg1"


class DovecotFailover:
    """A hub and a Dovecot pair with asynchronous replication. Run `start`, `crash`, `refill` in this order."""

    def __init__(self, workspace, mails=400, mailboxes=8, connections=4, rate=None, inventory="dovecot", say=None):
        self.workspace = workspace
        self.mails, self.connections, self.rate = mails, connections, rate
        self.mailboxes = [f"user{number}@example.test" for number in range(1, mailboxes + 1)]
        self.inventory = inventory
        self.say = say or (lambda text: None)
        self.old, self.new = dovecot.pair(workspace.base, self.mailboxes)
        recipients = [f"{mailbox} {CLUSTER}/{GROUP}" for mailbox in self.mailboxes]
        self.hub = Hub(workspace, [Cluster(CLUSTER, [self.old, self.new])], recipients)
        self.agents = {}
        self.load = None
        self.lost = set()

    def start(self):
        self.say("starting two Dovecot nodes that replicate to each other asynchronously")
        dovecot.start_pair(self.workspace, self.old, self.new)
        self.say(f"starting the hub: SMTP on port {self.hub.smtp_port}, recovery API on {self.hub.recovery_address}")
        self.hub.start()
        for node in (self.old, self.new):
            self.agents[node.name] = self._agent(node)
            self.agents[node.name].get_in_touch()
        wait_until(
            lambda: self.hub.metric("cluster_agent_seen_timestamp_seconds", node=self.old.name),
            30,
            "the active node's agent is in touch",
        )

    def _agent(self, node):
        if self.inventory == "maildir":
            inventory = {"type": "maildir", "path": node.mail}
        else:
            inventory = {"type": "dovecot", "path": node.configuration}
        # The proof of fencing: the old active node's master process is gone, so nothing more can come from it.
        fencing = workspace_script(node.base / "fenced", f"test ! -d /proc/{self.old.process.id}")
        settings = {"quiesce": str(fencing)} if node is self.new else {}
        return Agent(self.workspace, CLUSTER, node.name, [self.hub], inventory, settings)

    def crash(self, pause_replication=False):
        """Sends mail and kills the active node in mid-stream. The hub goes on accepting."""
        speed = f"{self.rate} a second" if self.rate else "as fast as they go"
        self.say(f"sending {self.mails} mails to {len(self.mailboxes)} mailboxes, {self.connections} connections, {speed}")
        self.load = Load(self.hub.smtp_port, self.mailboxes, self.mails, self.connections, self.rate)
        self.workspace.own(self.load)
        self.load.start()

        def delivered():
            return self.hub.metric("relay_deliveries_total", route=f"{CLUSTER}/{GROUP}", result="delivered")

        wait_until(lambda: delivered() > self.mails * 0.4, 60, lambda: f"deliveries\n{self.hub.log()[-3000:]}", pause=0.01)
        if pause_replication:
            self.old.pause_replication()
            before = delivered()
            wait_until(lambda: delivered() > before + self.mails * 0.1, 60, "more deliveries", pause=0.01)
        self.accepted_before = len(self.load.accepted)
        self.old.kill()
        self.say(f"killed {self.old.name} with kill -9 after {self.accepted_before} accepted recipients")
        self.load.join()
        if not self.load.finished():
            raise AssertionError("the hub stopped accepting mail")
        self.say(f"the hub went on accepting: {len(self.load.accepted)} recipients in all")
        present = self.new.settled_copies()
        acknowledged = acknowledged_by(self.hub.api(), CLUSTER, GROUP, self.old.name)
        self.lost = {mail for mail in acknowledged if mail not in present}
        self.say(f"{self.old.name} had acknowledged {len(acknowledged)}; {len(self.lost)} of them are not on {self.new.name}")

    def refill(self):
        """dumpster-agent promote on the survivor, until nothing is left in the spool. Returns the census."""
        self.say(f"dumpster-agent promote on {self.new.name}")
        self.promotion = self.agents[self.new.name].run("promote")
        self.say((self.promotion.stdout + self.promotion.stderr).rstrip())
        if self.promotion.returncode != 0:
            raise AssertionError(
                f"promote ended with {self.promotion.returncode}\n{self.promotion.stdout}{self.promotion.stderr}\n"
                f"{self.hub.log()[-3000:]}"
            )
        self.hub.wait_spool_empty(120)
        copies = self.new.settled_copies()
        resubmitted = self.hub.metric("recovery_messages_total", result="delivered")
        return census(self.load.accepted, copies, self.lost, resubmitted)


def workspace_script(path, command):
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)
    return path
