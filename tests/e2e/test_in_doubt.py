import unittest

from case import ALICE, EndToEnd
from harness.lmtp_sink import DEFER, DROP_STORED, DROP_UNSTORED, REFUSE
from harness.load import Load
from harness.processes import wait_until


class ActiveNode(EndToEnd):
    """An active node with an agent, which is run when there is something to settle."""

    def setUp(self):
        super().setUp()
        self.node, passive = self.sinks("node1", "node2")
        self.hub = self.clustered_hub([self.node, passive], settings={"recovery": {"in_doubt_wait": "600s"}})
        self.node_agent = self.agent([self.hub], self.node)
        # What falls in doubt from the first contact on waits for evidence.
        self.node_agent.get_in_touch()

    def settle(self):
        """The agent compares what is in doubt with what its node has."""
        filled = self.node_agent.run("promote")
        self.assertEqual(filled.returncode, 0, filled.stdout + filled.stderr)
        self.hub.wait_spool_empty()
        self.assertEqual(self.hub.metric("dumpster_in_doubt"), 0)

    def test_a_connection_lost_before_the_reply_neither_loses_nor_duplicates_mail(self):
        self.node.rules += [("stored@x", DROP_STORED), ("unstored@x", DROP_UNSTORED)]
        mails = self.send(self.hub, ["before@x", "stored@x", "unstored@x", "after@x"])
        self.wait_copies(self.node, {mail for mail in mails if mail[1] != "unstored@x"})
        wait_until(lambda: self.hub.metric("dumpster_in_doubt") == 2, 20, "two in doubt")
        self.assertEqual(self.node.transactions["unstored@x"], 1, "was not held for evidence")
        self.settle()
        self.assert_each_once(self.node.copies(), mails)
        self.assertEqual(self.node.transactions["stored@x"], 1)
        self.assertEqual(self.node.transactions["unstored@x"], 2)

    def test_a_crash_of_the_hub_in_mid_stream_neither_loses_nor_duplicates_mail(self):
        load = self.workspace.own(Load(self.hub.smtp_port, [ALICE], count=300).start())
        wait_until(lambda: len(self.node.acknowledged) > 100, 60, "100 deliveries", pause=0.005)
        self.hub.kill()
        self.hub.start()
        load.join()
        self.settle()
        self.assert_each_once(self.node.copies(), set(load.accepted))


class Replies(EndToEnd):
    def test_a_deferred_mail_is_tried_again_and_a_refused_one_is_not(self):
        (node,) = self.sinks("node1")
        (bounces,) = self.sinks("bounces")
        hub = self.clustered_hub([node], recipients=[f"sender@example.net {bounces.deliver_to}"])
        node.rules += [("later@x", DEFER), ("never@x", REFUSE)]
        mails = self.send(hub, ["later@x", "never@x"])
        self.wait_copies(node, {mail for mail in mails if mail[1] == "later@x"})
        self.assertEqual(node.transactions["later@x"], 2)
        wait_until(bounces.copies, 30, "the sender is told of the refusal")
        hub.wait_spool_empty()
        self.assertEqual(node.transactions["never@x"], 1)
        self.assertEqual(len(bounces.copies()), 1)
        self.assertEqual(hub.metric("relay_deliveries_total", result="bounced"), 1)

    def test_recipients_that_are_too_many_for_one_transaction_go_in_further_ones_at_once(self):
        (node,) = self.sinks("node1")
        node.most_recipients = 3
        mailboxes = [f"user{number}@example.test" for number in range(8)]
        hub = self.clustered_hub([node], mailboxes, settings={"relay": {"retry_min": "10m", "retry_max": "10m"}})
        mails = self.send(hub, ["many@x"], mailboxes)
        self.wait_copies(node, mails)
        hub.wait_spool_empty()
        self.assertEqual(node.transactions["many@x"], 3)
        self.assert_each_once(node.copies(), mails)


if __name__ == "__main__":
    unittest.main()
