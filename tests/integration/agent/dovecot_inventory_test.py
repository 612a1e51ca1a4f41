"""The inventory of a real Dovecot: seen through what a promote decides to deliver again."""

import pathlib
import subprocess
import tempfile
import unittest
import uuid

from agent_program import AgentProgram
from private_dovecot import PrivateDovecot
from scripted_hub import ScriptedHub

ALICE, BOB, STRANGER = "alice@example.test", "bob@example.test", "stranger@example.test"


class DovecotInventoryTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="agent-dovecot-")
        self.addCleanup(directory.cleanup)
        self.base = pathlib.Path(directory.name)
        self.dovecot = self.enterContext(PrivateDovecot(self.base, [ALICE, BOB]))
        self.hub = self.enterContext(ScriptedHub(deliver=self.deliver))

    def deliver(self, line, recipient):
        self.store(recipient["mailbox"], line["delivery_id"])
        return True

    def store(self, user, delivery_id, below=""):
        self.dovecot.deliver(user, f"X-Dumpster-Id: hub1/{delivery_id}\n{below}Subject: test\n\nbody\n")

    def agent(self, configuration=None):
        inventory = {"type": "dovecot", "path": configuration or self.dovecot.configuration}
        return AgentProgram(self.base, [self.hub.url], inventory)

    def planned(self):
        status, report = self.agent().run("promote", "--dry-run")
        self.assertIn(status, (0, 4), report)
        return sorted(item["delivery_id"] for item in report["planned"]), report

    def test_only_what_is_missing_is_delivered_and_then_it_is_there(self):
        there, lost, empty = self.hub.add(ALICE), self.hub.add(ALICE), self.hub.add(BOB)
        self.store(ALICE, there)
        status, report = self.agent().run("promote")
        self.assertEqual(status, 0, report)
        total = report["total"]
        self.assertEqual((total["present"], total["resubmitted"], total["delivered"], total["missing"]), (1, 2, 2, 0))
        self.assertEqual(self.planned()[0], [])
        self.assertEqual({self.hub.state_of(delivery)[0] for delivery in (there, lost, empty)}, {"delivered"})

    def test_only_the_topmost_field_of_a_message_counts(self):
        there, forged = self.hub.add(ALICE), self.hub.add(ALICE)
        self.store(ALICE, there, below=f"X-Dumpster-Id: hub1/{forged}\n")
        self.assertEqual(self.planned()[0], [forged])

    def test_a_field_of_strange_bytes_disturbs_nothing(self):
        there, lost = self.hub.add(ALICE), self.hub.add(ALICE)
        self.dovecot.deliver(ALICE, 'X-Dumpster-Id: \x01"\\\té/x\nX-Dumpster-Id: hub1/' + lost + "\n\nbody\n")
        self.dovecot.deliver(ALICE, f"x-dumpster-ID: hub1.example.test/\n {there}\nSubject: folded\n\nbody\n")
        self.assertEqual(self.planned()[0], [lost])

    def test_all_folders_count(self):
        there = self.hub.add(ALICE)
        self.store(ALICE, there)
        self.dovecot.copy(ALICE, "Archive")
        expunge = ["doveadm", "-c", str(self.dovecot.configuration), "expunge", "-u", ALICE, "mailbox", "INBOX", "all"]
        subprocess.run(expunge, check=True)
        self.assertEqual(self.planned()[0], [])

    def test_a_user_that_dovecot_does_not_know_is_not_judged(self):
        lost = self.hub.add(ALICE)
        self.hub.add(STRANGER)
        self.hub.add("ali*@example.test")
        planned, report = self.planned()
        self.assertEqual(planned, [lost])
        self.assertEqual(report["total"]["unknown"], 2)
        self.assertEqual(len(report["notes"]), 2)

    def test_a_dovecot_that_is_not_configured_is_an_error(self):
        self.hub.add(ALICE)
        status, report = self.agent(self.base / "nothing.conf").run("promote", "--dry-run")
        self.assertEqual(status, 1)
        self.assertIn("nothing.conf", report["error"])

    def test_a_message_without_the_field_is_no_delivery(self):
        lost = self.hub.add(ALICE, delivery_id=str(uuid.uuid4()))
        self.dovecot.deliver(ALICE, f"Subject: no field\n\nX-Dumpster-Id: hub1/{lost}\n")
        self.assertEqual(self.planned()[0], [lost])


if __name__ == "__main__":
    unittest.main()
