import smtplib
import subprocess
import time
import unittest

from case import ALICE, BOB, CLUSTER, GROUP, EndToEnd
from harness.lmtp_sink import DEFER, DROP_UNSTORED, LATE, ONE_LESS, ONE_MORE, SHUT, SLOW, STALL, LmtpSink
from harness.load import Load, message
from harness.processes import wait_until

FAR = "@far.example"


class BadNodes(EndToEnd):
    """Nodes that do what nodes must not do. Without an agent what is in doubt is delivered again, as by every relay."""

    def setUp(self):
        super().setUp()
        self.node1, self.node2 = self.sinks("node1", "node2")
        self.far = LmtpSink(self.workspace, "far").start()
        self.hub = self.clustered_hub([self.node1, self.node2], recipients=[f"{FAR} {self.far.deliver_to}"])

    def each_once(self, node, mails):
        self.wait_copies(node, mails)
        self.hub.wait_spool_empty()
        self.assert_each_once(node.copies(), mails)

    def test_slow_replies_are_waited_for_and_count(self):
        self.node1.rules += [("slow@x", SLOW)]
        self.each_once(self.node1, self.send(self.hub, ["slow@x", "m@x"], [ALICE, BOB]))
        self.assertEqual(self.node1.transactions["slow@x"], 1)

    def test_a_reply_too_many_is_nobodys_reply(self):
        self.node1.rules += [("more@x", ONE_MORE), ("refused@x", "refuse")]
        mails = self.send(self.hub, ["more@x", "refused@x", "m@x"], [ALICE, BOB])
        mails = {mail for mail in mails if mail[1] != "refused@x"}
        self.wait_copies(self.node1, mails)
        self.hub.wait_spool_empty()
        # Had the reply been taken for the next message's, that one would count as delivered.
        self.assertNotIn((ALICE, "refused@x"), self.node1.copies())
        self.assertGreaterEqual(self.hub.metric("relay_deliveries_total", result="bounced"), 2)

    def test_a_missing_reply_leaves_only_its_recipient_in_doubt(self):
        self.node1.rules += [("less@x", ONE_LESS)]
        self.send(self.hub, ["less@x"], [ALICE, BOB])
        wait_until(lambda: self.node1.copies().get((BOB, "less@x")) == 2, 20, "the one in doubt is delivered again")
        self.hub.wait_spool_empty()
        self.assertEqual(self.node1.copies()[ALICE, "less@x"], 1)

    def test_a_node_that_shuts_down_is_probed_and_not_hammered(self):
        self.node1.rules += [("*", SHUT)] * 12
        mails = self.send(self.hub, [f"m{number}@x" for number in range(200)])
        self.wait_copies(self.node1, mails)
        self.hub.wait_spool_empty()
        self.assert_each_once(self.node1.copies(), mails)
        self.assertIn('event="destination dead"', self.hub.log())
        self.assertEqual(sum(self.node1.transactions.values()), 212)

    def test_senders_become_as_slow_as_a_node_that_falls_behind(self):
        self.node1.rules += [("*", LATE)] * 100
        flood = ["smtp-source", "-d", "-s", "20", "-l", "200", "-m", "22000", "-f", "sender@example.net", "-t", ALICE]
        subprocess.run([*flood, f"127.0.0.1:{self.hub.smtp_port}"], check=True, timeout=100)

        def slowed():
            return self.hub.metric("relay_slowed_messages_total")

        self.assertGreater(slowed(), 0)
        before = slowed()
        self.wait_copies(self.far, self.send(self.hub, ["far@x"], ["user@far.example"]))
        self.assertEqual(slowed(), before)
        begun = time.monotonic()
        self.send(self.hub, ["one@x"])
        self.assertGreater(time.monotonic() - begun, 0.04)
        self.assertEqual(slowed(), before + 1)
        self.node1.kill()
        wait_until(lambda: "dead=yes" in self.hub.log(), 30, "the node is known to be dead")

        def unhindered():
            before = slowed()
            self.send(self.hub, ["two@x"])
            return slowed() == before

        wait_until(unhindered, 30, "nobody waits for a dead node")
        self.node1.answers.set()

    def test_a_node_that_stalls_delays_neither_others_nor_an_activation(self):
        self.node1.rules += [("*", STALL)] * 100
        stalled = self.send(self.hub, [f"m{number}@x" for number in range(50)])
        wait_until(lambda: len(self.node1.transactions) >= 5, 20, "the node stalls")
        begun = time.monotonic()
        far = self.send(self.hub, [f"far{number}@x" for number in range(50)], ["user@far.example"])
        self.wait_copies(self.far, far)
        self.assertLess(time.monotonic() - begun, 20)
        status, _ = self.hub.api().activate(CLUSTER, "node2", 1)
        self.assertEqual(status, 200)
        self.wait_copies(self.node2, stalled)
        self.hub.wait_spool_empty()
        self.assertEqual(self.node1.copies(), {})

    def test_a_bulk_sender_does_not_delay_the_mail_of_others(self):
        # Held until all of it is there: otherwise a quick node leaves nothing to wait for.
        self.hub.control("cluster", "hold", CLUSTER, "--for", "60s").check_returncode()
        with smtplib.SMTP("127.0.0.1", self.hub.smtp_port, timeout=30) as client:
            for number in range(300):
                client.sendmail(f"bulk+{number}@bulk.example", [ALICE], message(f"bulk{number}@x", [ALICE]))
            client.sendmail("carol@example.net", [ALICE], message("one@x", [ALICE]))
        self.node1.rules += [("*", SLOW)] * 400
        self.hub.control("cluster", "release", CLUSTER).check_returncode()
        self.wait_copies(self.node1, {(ALICE, "one@x")})
        before = sum(1 for _, message_id in self.node1.copies() if message_id.startswith("bulk"))
        self.assertLess(before, 100, "it had to wait for the bulk")
        self.hub.wait_spool_empty()

    def test_a_thousand_recipients_over_both_kinds_of_route(self):
        cluster = [f"user{number}@example.test" for number in range(500)]
        far = [f"user{number}@far.example" for number in range(500)]
        self.hub.recipients += [f"@example.test {CLUSTER}/{GROUP}"]
        self.hub.write()
        self.hub.reload()
        wait_until(lambda: "event=reloaded" in self.hub.log(), 20, "reloaded")
        self.far.rules += [("big@x", DEFER)]
        self.node1.rules += [("big@x", DROP_UNSTORED)]
        self.send(self.hub, ["big@x"], cluster + far)
        self.wait_copies(self.node1, {(address, "big@x") for address in cluster})
        self.wait_copies(self.far, {(address, "big@x") for address in far})
        self.hub.wait_spool_empty()
        self.assert_each_once(self.node1.copies(), {(address, "big@x") for address in cluster})
        self.assert_each_once(self.far.copies(), {(address, "big@x") for address in far})
        (line,), _ = self.hub.api().deliveries(CLUSTER, GROUP)
        self.assertEqual({recipient["address"] for recipient in line["recipients"]}, set(cluster))


class FailoverUnderLoad(EndToEnd):
    def test_hundreds_in_flight_when_the_node_dies_are_neither_lost_nor_doubled(self):
        node1, node2 = self.sinks("node1", "node2")
        hub = self.clustered_hub(
            [node1, node2], settings={"recovery": {"in_doubt_wait": "600s"}, "relay": {"connections_per_destination": 50}}
        )
        self.agent([hub], node1).get_in_touch()
        load = self.workspace.own(Load(hub.smtp_port, [ALICE, BOB], count=900, connections=6).start())
        wait_until(lambda: len(node1.acknowledged) > 200, 60, "200 deliveries", pause=0.005)
        # From now on the node takes ever longer: what it is given piles up in transactions and in the spool.
        node1.rules += [("*", STALL)] * 1000
        wait_until(lambda: hub.metric("relay_spool_messages") > 300 or load.finished(), 60, "hundreds wait")
        # Half of what the old node had was replicated.
        node1.replicate_to(node2, lambda mailbox, message_id: hash((mailbox, message_id)) % 2 == 0)
        node1.kill()
        node2_agent = self.agent([hub], node2, settle="1s")
        filled = node2_agent.run("promote")
        self.assertIn(filled.returncode, (0, 2), filled.stdout + filled.stderr)
        load.join()
        hub.wait_spool_empty()
        self.assertEqual(load.uncertain, set())
        self.assert_each_once(node2.copies(), set(load.accepted))


if __name__ == "__main__":
    unittest.main()
