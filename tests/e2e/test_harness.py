"""The harness itself: what counts the mail has to count right, without any program of ours."""

import smtplib
import tomllib
import unittest

from case import ALICE, BOB, EndToEnd
from harness import dovecot
from harness.census import census
from harness.http_calls import samples, total
from harness.lmtp_sink import DEFER, DROP_STORED, DROP_UNSTORED, REFUSE
from harness.load import Load, message
from harness.processes import Process, session_members, wait_until
from harness.toml_text import toml_text


class Harness(EndToEnd):
    def deliver(self, node, message_id, mailboxes=(ALICE,)):
        with smtplib.LMTP(node.address, node.port) as client:
            client.ehlo("hub.example.test")
            return client.sendmail("s@example.net", list(mailboxes), message(message_id, mailboxes))

    def test_an_lmtp_node_misbehaves_as_ordered_and_once(self):
        (node,) = self.sinks("node1")
        node.rules += [("a@x", REFUSE), ("b@x", DEFER), ("c@x", DROP_STORED), ("d@x", DROP_UNSTORED)]
        for message_id in ("a@x", "b@x", "c@x", "d@x"):
            with self.assertRaises((smtplib.SMTPException, OSError)):
                self.deliver(node, message_id)
        self.assertEqual(node.copies(), {(ALICE, "c@x"): 1})
        for message_id in ("b@x", "c@x", "d@x"):
            self.deliver(node, message_id)
        self.assertEqual(node.copies(), {(ALICE, "b@x"): 1, (ALICE, "c@x"): 2, (ALICE, "d@x"): 1})
        self.assertEqual(node.transactions["d@x"], 2)
        self.assertTrue(node.bodies()["b@x"] == message("b@x", [ALICE]))

    def test_a_killed_lmtp_node_takes_nothing_and_replicates_what_is_chosen(self):
        node, other = self.sinks("node1", "node2")
        for message_id in ("a@x", "b@x"):
            self.deliver(node, message_id, [ALICE])
        node.kill()
        with self.assertRaises(OSError):
            self.deliver(node, "c@x")
        node.replicate_to(other, lambda _, message_id: message_id == "b@x")
        self.assertEqual(other.copies(), {(ALICE, "b@x"): 1})

    def test_the_load_knows_what_was_accepted(self):
        node = self.sinks("node1")[0]
        node.kill()
        node.protocol = "smtp"
        node.start()
        load = self.workspace.own(Load(node.port, [ALICE, BOB], count=60).start())
        load.join()
        self.assertEqual(len(load.accepted), 60 + 12)
        self.assertEqual(set(load.accepted), set(node.copies()))

    def test_the_census_sees_what_is_missing_and_what_is_double(self):
        accepted = [(ALICE, "a@x"), (ALICE, "b@x"), (BOB, "a@x")]
        exact = census(accepted, {mail: 1 for mail in accepted})
        self.assertTrue(exact.exact)
        faulty = census(accepted, {(ALICE, "a@x"): 2, (BOB, "a@x"): 1})
        self.assertEqual((faulty.missing, faulty.duplicated), ({(ALICE, "b@x")}, {(ALICE, "a@x"): 2}))
        self.assertFalse(faulty.exact)

    def test_a_killed_process_takes_all_that_it_started_along(self):
        process = Process(["sh", "-c", "sleep 60 & sleep 60"], self.workspace.base / "out.log")
        wait_until(lambda: len(session_members(process.id)) == 3, 30, "the children run")
        process.kill()
        self.assertEqual(session_members(process.id), [])

    def test_configurations_and_metrics_are_written_and_read_back(self):
        tables = {"hub": {"name": 'a"b'}, "list": [{"n": 1, "sub": [{"on": True}]}, {"n": 2}], "words": ["x", "y"]}
        self.assertEqual(tomllib.loads(toml_text(tables)), tables)
        found = samples('# TYPE a counter\na{x="1",y="2"} 3\na{x="2"} 4.5\nb 1e3\n')
        self.assertEqual((total(found, "a"), total(found, "a", x="2"), total(found, "b")), (7.5, 4.5, 1000))


@unittest.skipIf(dovecot.available(), dovecot.available() or "")
class Pair(EndToEnd):
    def test_a_dovecot_pair_replicates_and_loses_what_was_not_yet_replicated(self):
        old, new = dovecot.pair(self.workspace.base, [ALICE, BOB])
        dovecot.start_pair(self.workspace, old, new)
        client = smtplib.LMTP(old.address, old.lmtp_port)
        self.addCleanup(client.close)
        for number in range(5):
            for mailbox in (ALICE, BOB):
                client.sendmail("s@example.net", [mailbox], message(f"early{number}@x", [mailbox]))
        # Two transfers that go in opposite directions may wait half a minute for each other's locks.
        wait_until(lambda: len(new.copies()) == 10, 150, "replication")
        old.wait_replicating()  # no transfer is under way
        self.assertTrue(old.pause_replication())
        for number in range(5):
            client.sendmail("s@example.net", [ALICE], message(f"late{number}@x", [ALICE]))
        old.kill()
        self.assertEqual(session_members(old.process.id), [])
        survivors = new.settled_copies()
        self.assertEqual(len(survivors), 10)
        self.assertTrue(all(number == 1 for number in survivors.values()))
        self.assertEqual(len(old.copies()), 15)


if __name__ == "__main__":
    unittest.main()
