import unittest

from case import CLUSTER, EndToEnd
from harness import cyrus
from harness.agent import Agent
from harness.census import census
from harness.hub import Cluster, Hub
from harness.load import Load
from harness.processes import wait_until


@unittest.skipIf(cyrus.available(), cyrus.available() or "")
class CyrusPair(EndToEnd):
    def setUp(self):
        super().setUp()
        self.mailboxes = [f"user{number}@example.test" for number in range(1, 4)]
        self.old, self.new = cyrus.pair(self.workspace.base, self.mailboxes)
        cyrus.start_pair(self.workspace, self.old, self.new)
        recipients = [f"{mailbox} {CLUSTER}/sg1" for mailbox in self.mailboxes]
        self.hub = Hub(self.workspace, [Cluster(CLUSTER, [self.old, self.new])], recipients).start()

    def agent_of(self, node):
        inventory = {"type": "cyrus", "path": node.configuration}
        return Agent(self.workspace, CLUSTER, node.name, [self.hub], inventory, {"quiesce": "true"})

    def test_a_crashed_cyrus_node_loses_mail_and_promote_brings_back_exactly_that(self):
        agent = self.agent_of(self.new)
        agent.watch(self.workspace)
        load = self.workspace.own(Load(self.hub.smtp_port, self.mailboxes, count=200, connections=2).start())
        wait_until(lambda: len(load.accepted) > 100, 60, "100 accepted", pause=0.01)
        wait_until(lambda: agent.metric("agent_confirmed_total") > 20, 60, lambda: agent.log()[-3000:])
        self.old.pause_replication()
        load.join()
        # However fast replication was: these it does not see.
        late = [f"late.{number}@x" for number in range(20)]
        accepted = load.accepted + sorted(self.send(self.hub, late, self.mailboxes[:1]))
        self.wait_delivered(self.hub, len(accepted))
        self.old.kill()
        present = self.new.settled_copies()
        lost = {mail for mail in accepted if mail not in present}
        self.assertGreaterEqual(len(lost), len(late))
        promoted = agent.run("promote")
        self.assertEqual(promoted.returncode, 0, promoted.stdout + promoted.stderr)
        self.hub.wait_spool_empty()
        self.assert_exact(census(accepted, self.new.settled_copies(), lost))


if __name__ == "__main__":
    unittest.main()
