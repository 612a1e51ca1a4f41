import smtplib
import unittest

from case import ALICE, BOB, CLUSTER, GROUP, EndToEnd
from harness import http_calls
from harness.lmtp_sink import LATE, LmtpSink
from harness.load import Load, message
from harness.processes import wait_until

SENDER = "sender@example.net"


class SlowDisk(EndToEnd):
    """Syncs do not come back while the test wants it."""

    def test_a_message_that_is_not_durable_in_time_is_refused_and_taken_back(self):
        order = self.workspace.base / "slow"
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node], settings={"relay": {"commit_limit": "500ms", "max_commit_time": "100ms"}}, start=False)
        hub.environment = {"LD_PRELOAD": str(self.workspace.bin / "libfailing_sync.so"), "SLOW_SYNC": str(order)}
        hub.start()
        before = self.send(hub, ["before@x"])
        with smtplib.SMTP("127.0.0.1", hub.smtp_port, timeout=30) as client:
            for name, size in (("small@x", 1000), ("large@x", 200_000)):
                order.touch()
                with self.assertRaises(smtplib.SMTPDataError) as refused:
                    client.sendmail("sender@example.net", [ALICE], message(name, [ALICE], size))
                self.assertEqual(refused.exception.smtp_code, 451)
                order.unlink()
                if size < 64 * 1024:
                    wait_until(lambda: "taken back" in hub.log(), 30, "the message is taken back")
                    wait_until(lambda: hub.metric("relay_load_shedding") == 1, 30, "the gate has closed")
                wait_until(lambda: hub.metric("relay_load_shedding") == 0, 30, "mail is taken again")
        hub.wait_spool_empty()
        after = self.send(hub, ["after@x"])
        self.wait_copies(node, before | after)
        self.assert_each_once(node.copies(), before | after)
        self.assertEqual(set(node.copies()), before | after, "nothing of what was refused was delivered")


class SickDisk(EndToEnd):
    """Syncs fail while the test wants it, and what was written can be read all the same."""

    def setUp(self):
        super().setUp()
        self.order = self.workspace.base / "fail"
        self.node1, self.node2 = self.sinks("node1", "node2")
        self.hub = self.clustered_hub([self.node1, self.node2], start=False)
        shim = self.workspace.bin / "libfailing_sync.so"
        self.hub.environment = {"LD_PRELOAD": str(shim), "FAILING_SYNC": str(self.order)}
        self.hub.start()

    def fail_until_noticed(self):
        self.order.touch()
        wait_until(lambda: not self.ready(), 30, "a sync has failed", pause=0.002)
        self.order.unlink()

    def ready(self):
        return http_calls.get(self.hub.metrics_address, "/readyz")[0] == 200

    def test_failed_syncs_under_load_lose_nothing_and_double_nothing(self):
        load = Load(self.hub.smtp_port, [ALICE, BOB], count=600, connections=8, rate=150).start()
        self.addCleanup(load.stop)
        for failures in range(1, 5):
            wait_until(lambda: len(load.accepted) > 60 * failures, 60, "mail flows")
            self.fail_until_noticed()
            wait_until(self.ready, 60, "the hub is ready again")
        load.join()
        self.hub.wait_spool_empty()
        self.assertGreaterEqual(self.hub.metric("dumpster_store_reopened_total"), 4)
        self.assertEqual(load.uncertain, set())
        self.assertTrue(load.refusals)
        self.assert_each_once(self.node1.copies(), load.accepted)
        lines, last = self.hub.api().deliveries(CLUSTER, GROUP, from_=self.hub.api().hub()["store_created"])
        listed = [(one["mailbox"], line["message_id"]) for line in lines for one in line["recipients"]]
        self.assertEqual(sorted(listed), sorted(load.accepted))
        self.assertTrue(last["complete"])

    def test_a_notification_in_several_chunks_survives_the_failed_write_that_it_was_part_of(self):
        told = LmtpSink(self.workspace, "told").start()
        many = [f"a-mailbox-with-a-rather-long-name-{number}@example.test" for number in range(400)]
        self.hub.stop()
        self.hub.recipients = [f"{SENDER} {told.deliver_to}", f"@example.test {CLUSTER}/{GROUP}"]
        self.hub.settings = {"relay": {"delay_warning": "2s"}}
        self.hub.start()

        def submit(message_id, notify):
            with smtplib.SMTP("127.0.0.1", self.hub.smtp_port, timeout=60) as client:
                client.ehlo()
                client.sendmail(SENDER, many, message(message_id, many[:1]), (), [f"NOTIFY={notify}"])

        def wait_told(message_id):
            wait_until(self.ready, 60, "the hub is ready again")
            wait_until(lambda: any(f"<{message_id}>" in text for text in reports()), 60, f"{message_id} is told", pause=0.2)

        def reports():
            folder = told.mail / SENDER / "new"
            return [path.read_text() for path in folder.iterdir()] if folder.exists() else []

        # The next write behind its acceptance is that of the delay.
        self.node1.kill()
        submit("delay@x", "DELAY")
        self.fail_until_noticed()
        wait_told("delay@x")
        self.node1.start()
        self.wait_copies(self.node1, {(mailbox, "delay@x") for mailbox in many})
        self.node1.rules.append(("success@x", LATE))
        submit("success@x", "SUCCESS")
        wait_until(lambda: self.node1.transactions["success@x"] == 1, 30, "the node has the data")
        self.order.touch()
        self.node1.answers.set()
        self.fail_until_noticed()
        wait_told("success@x")
        self.assertEqual([text.count("Final-Recipient:") for text in reports()], [len(many)] * 2)
        self.assertGreater(min(map(len, reports())), 64 * 1024)

    def test_a_hub_that_is_stopped_while_it_cannot_record_finds_the_delivery_in_doubt(self):
        agent = self.agent([self.hub], self.node1)
        agent.write()
        agent.get_in_touch()
        self.node1.rules.append(("late@x", "stall"))
        mails = self.send(self.hub, ["late@x"])
        wait_until(lambda: self.node1.transactions["late@x"] == 1, 30, "the node has the data")
        self.order.touch()
        self.hub.stop(60)
        self.order.unlink()
        self.hub.start()
        lines, _ = self.hub.api().deliveries(CLUSTER, GROUP, state="in_doubt")
        self.assertEqual([line["message_id"] for line in lines], ["late@x"])
        self.assertEqual(len(mails), 1)


if __name__ == "__main__":
    unittest.main()
