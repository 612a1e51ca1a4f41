"""What the end-to-end tests have in common: a workspace, nodes, a hub, and the logs when a test fails."""

import pathlib
import smtplib
import unittest

from harness.agent import Agent
from harness.hub import Cluster, Hub
from harness.lmtp_sink import LmtpSink
from harness.load import message
from harness.processes import wait_until
from harness.workspace import Workspace

CLUSTER, GROUP = "ccr1", "sg1"
ALICE, BOB = "alice@example.test", "bob@example.test"
LOG_TAIL = 6000


class EndToEnd(unittest.TestCase):
    """One workspace a test, gone with everything in it when the test is over."""

    def setUp(self):
        self.workspace = Workspace()
        self.addCleanup(self.workspace.close)
        self.addCleanup(self._show_logs)

    def _show_logs(self):
        outcome = self._outcome.result
        if not any(test is self for test, _ in outcome.failures + outcome.errors):
            return
        for path in sorted(pathlib.Path(self.workspace.base).glob("*/*.log")):
            text = path.read_text(errors="replace")
            print(f"--- {path.relative_to(self.workspace.base)}\n{text[-LOG_TAIL:]}", flush=True)

    def sinks(self, *names):
        """Started LMTP nodes."""
        return [LmtpSink(self.workspace, name).start() for name in names]

    def clustered_hub(self, nodes, mailboxes=(ALICE, BOB), recipients=(), limits=None, settings=None, start=True, name="hub1"):
        """A hub with one cluster of these nodes, the first one active, and these mailboxes on it."""
        lines = [f"{mailbox} {CLUSTER}/{GROUP}" for mailbox in mailboxes]
        cluster = Cluster(CLUSTER, nodes, [GROUP], limits)
        hub = Hub(self.workspace, [cluster], [*lines, *recipients], f"{name}.example.test", settings)
        return hub.start() if start else hub

    def agent(self, hubs, node, **settings):
        """The agent of an LMTP node, with the maildirs as its inventory."""
        inventory = {"type": "maildir", "path": node.mail}
        return Agent(self.workspace, CLUSTER, node.name, hubs, inventory, {"quiesce": "true", **settings})

    def send(self, hub, message_ids, mailboxes=(ALICE,), size=2000):
        """Sends one mail for each id over one connection; each must be accepted for every mailbox."""
        with smtplib.SMTP("127.0.0.1", hub.smtp_port, timeout=30) as client:
            for message_id in message_ids:
                refused = client.sendmail("sender@example.net", list(mailboxes), message(message_id, mailboxes, size))
                self.assertEqual(refused, {})
        return {(mailbox, message_id) for message_id in message_ids for mailbox in mailboxes}

    def wait_copies(self, node, mails, seconds=60):
        """Waits until the node has all of these (mailbox, message id)."""
        wait_until(
            lambda: set(mails) <= set(node.copies()),
            seconds,
            lambda: f"on {node.name}: {sorted(set(mails) - set(node.copies()))[:10]}",
            pause=0.1,
        )

    def wait_delivered(self, hub, recipients, seconds=60):
        """Waits until the hub counts so many delivered recipients."""
        wait_until(
            lambda: hub.metric("relay_deliveries_total", result="delivered") >= recipients,
            seconds,
            lambda: f"{recipients} deliveries",
        )

    def assert_exact(self, counted):
        self.assertTrue(counted.exact, counted.details())

    def assert_each_once(self, copies, mails):
        """Each of these mails once, and nothing else twice."""
        self.assertEqual({mail: copies.get(mail, 0) for mail in mails}, {mail: 1 for mail in mails})
        self.assertEqual({mail: number for mail, number in copies.items() if number > 1}, {})
