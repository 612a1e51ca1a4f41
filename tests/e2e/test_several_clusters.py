import unittest
import zlib

from case import EndToEnd
from harness.agent import Agent
from harness.census import acknowledged_by, census
from harness.hub import Cluster, Hub
from harness.load import Load
from harness.processes import wait_until

FIRST, SECOND = "ccr1", "ccr2"


def chosen(mailbox, message_id):
    """What replication had brought over: two of three."""
    return zlib.crc32(f"{mailbox} {message_id}".encode()) % 3 > 0


class ThreeNodes(EndToEnd):
    """Two hubs; a cluster with three nodes and two storage groups, and another one with a group of the same name."""

    def setUp(self):
        super().setUp()
        self.a1, self.a2, self.a3 = self.sinks("a1", "a2", "a3")
        self.b1, self.b2 = self.sinks("b1", "b2")
        self.places = {f"user{number}@example.test": f"{FIRST}/sg{1 + number % 2}" for number in range(4)}
        self.places |= {f"other{number}@example.test": f"{SECOND}/sg1" for number in range(2)}
        recipients = [f"{mailbox} {place}" for mailbox, place in self.places.items()]
        clusters = [Cluster(FIRST, [self.a1, self.a2, self.a3], ["sg1", "sg2"]), Cluster(SECOND, [self.b1, self.b2], ["sg1"])]
        self.hubs = [Hub(self.workspace, clusters, recipients, f"hub{number}.example.test").start() for number in (1, 2)]

    def agent_of(self, node, quiesce="true"):
        inventory = {"type": "maildir", "path": node.mail}
        return Agent(self.workspace, FIRST, node.name, self.hubs, inventory, {"quiesce": quiesce})

    def of_cluster(self, mails, cluster):
        return {mail for mail in mails if self.places[mail[0]].startswith(f"{cluster}/")}

    def send_through_both(self, count):
        """Every fifth mail goes to two mailboxes of different groups, some of them of different clusters."""
        loads = [
            Load(hub.smtp_port, sorted(self.places), count, connections=2, prefix=f"{hub.base.name}.{count}").start()
            for hub in self.hubs
        ]
        for load in loads:
            self.workspace.own(load).join()
        for hub in self.hubs:
            hub.wait_spool_empty()
        return {mail for load in loads for mail in load.accepted}

    def lose(self, old, new):
        """Kills the old node; what it had answered for and the new one has not got is lost."""
        old.kill()
        old.replicate_to(new, chosen)
        acknowledged = {
            mail
            for hub in self.hubs
            for group in ("sg1", "sg2")
            for mail in acknowledged_by(hub.api(), FIRST, group, old.name)
        }
        lost = acknowledged - set(new.copies())
        self.assertTrue(lost)
        return lost

    def wait_spools(self):
        for hub in self.hubs:
            hub.wait_spool_empty()

    def test_one_group_of_one_cluster_is_filled_without_touching_another_and_the_third_node_can_follow(self):
        mails = self.send_through_both(60)
        lost = self.lose(self.a1, self.a3)
        promoted = self.agent_of(self.a3).run("promote")
        self.assertEqual(promoted.returncode, 0, promoted.stdout + promoted.stderr)
        self.wait_spools()
        self.assert_exact(census(self.of_cluster(mails, FIRST), self.a3.copies(), lost))
        for hub in self.hubs:
            self.assertEqual((hub.api().cluster(FIRST)["active"], hub.api().cluster(FIRST)["term"] % 3), ("a3", 2))
            self.assertEqual((hub.api().cluster(SECOND)["active"], hub.api().cluster(SECOND)["term"]), ("b1", 0))
        self.assertEqual((self.a2.copies(), self.b2.copies()), ({}, {}))
        self.assert_exact(census(self.of_cluster(mails, SECOND), self.b1.copies()))

        # The second failover in a row, to the node that has had nothing yet.
        mails |= self.send_through_both(20)
        lost = self.lose(self.a3, self.a2)
        promoted = self.agent_of(self.a2).run("promote")
        self.assertEqual(promoted.returncode, 0, promoted.stdout + promoted.stderr)
        self.wait_spools()
        self.assert_exact(census(self.of_cluster(mails, FIRST), self.a2.copies(), lost))

    def test_of_two_nodes_that_are_promoted_at_once_exactly_one_wins_and_the_other_ends_with_5(self):
        mails = self.send_through_both(40)
        self.a1.kill()
        for node in (self.a2, self.a3):
            self.a1.replicate_to(node, chosen)
        # Neither compares before the other one has been activated, or refused.
        begin = self.workspace.base / "begin"
        promotions, activated = [], []
        for node in (self.a2, self.a3):
            activated.append(self.workspace.base / f"{node.name}.activated")
            quiesce = f"touch {activated[-1]}; until test -e {begin}; do sleep 0.05; done"
            promotions.append(self.agent_of(node, quiesce).start(self.workspace, "promote"))
        wait_until(
            lambda: all(path.exists() or not promotion.alive() for path, promotion in zip(activated, promotions)),
            60,
            lambda: "\n".join(promotion.output() for promotion in promotions),
        )
        begin.touch()
        statuses = [promotion.wait(60) for promotion in promotions]
        said = "\n".join(promotion.output() for promotion in promotions)
        self.assertEqual(sorted(statuses), [0, 5], said)
        winner, loser = (self.a2, self.a3) if statuses[0] == 0 else (self.a3, self.a2)
        self.wait_spools()
        for hub in self.hubs:
            self.assertEqual(hub.api().cluster(FIRST)["active"], winner.name, said)
        self.assert_exact(census(self.of_cluster(mails, FIRST), winner.copies()))
        status = self.agent_of(loser).run("status").stdout
        self.assertIn("passive", status.splitlines()[0])
        self.assertNotIn("pending", status)


if __name__ == "__main__":
    unittest.main()
