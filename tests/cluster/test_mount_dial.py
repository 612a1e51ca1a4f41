"""Failovers that the hubs cannot cover: what each mount dial does, and how an administrator overrules it."""

import unittest

from case import ClusterTest
from harness.processes import wait_until
from lab.dovecot_node import DovecotNode
from lab.machine import command
from lab.pacemaker import promoted_node

REPORT = "/var/tmp/report"
OVERRULED = "/run/resource-agents/mailbox-node-mailbox.overruled"
NOT_COVERED = "does not reach back far enough"


class MountDial(ClusterTest):
    node_class = DovecotNode

    def start(self, dial):
        """A site under load with a gap that nothing closes any more."""
        site = self.start_site(
            changes=[("mount_dial=good", f'mount_dial={dial} hub_wait=2 report_command="cat >{REPORT}"')]
        )
        self.old, self.new = site.active, site.active.peer
        site.send(count=200, rate=50)
        site.wait_delivered(50)
        self.old.network.cut_port(self.old.replication_port)
        site.wait_sent()
        for hub in site.hubs:
            hub.wait_spool_empty(60)
        return site

    def lose_dumpster(self, site, hub):
        """The hub comes back with an empty store. What only it could have brought again is lost."""
        held = site.acknowledged_by(self.old, [hub])
        hub.stop()
        command("rm", "-r", hub.data)
        hub.start()
        wait_until(lambda: hub.active() == self.old.name, 60, lambda: f"{hub.name} is told who is active\n{hub.log()}")
        self.old.kill()
        lost = held - set(self.new.copies())
        self.say(f"{self.old.name} killed; {len(lost)} of its mails were in the dumpster that {hub.name} has lost")
        self.assertGreater(len(lost), 10, "the gap was not large")
        return lost

    def wait_refused(self, site, reason):
        def is_refused():
            told = site.state()
            return reason in told and "see dumpster-promote-anyway)" in told and f"Unpromoted: [ {self.new.name} ]" in told

        wait_until(is_refused, 120, lambda: f"the promotion is refused\n{site.state()}", pause=0.3)
        wait_until(lambda: "value=-INFINITY" in self.score(), 60, lambda: f"it stays passive: {self.score()}", pause=0.3)
        self.say(f"{self.new.name} refuses: {reason}")
        self.assertIsNone(promoted_node(self.new))
        self.assertIn("refused", self.new.read(REPORT))

    def score(self):
        return self.new.run("crm_attribute", "--promotion=mailbox", "--query", check=False).stdout

    def promote_anyway(self):
        rehearsed = self.new.run("dumpster-promote-anyway", "--dry-run").stdout
        self.assertIsNone(promoted_node(self.new))
        self.say(self.new.run("dumpster-promote-anyway", timeout=180).stdout.strip())
        wait_until(lambda: promoted_node(self.new) == self.new.name, 30, lambda: self.site.state(), pause=0.2)
        self.assertNotEqual(self.new.run("test", "-e", OVERRULED, check=False).returncode, 0, "it counts once")
        again = self.new.run("dumpster-promote-anyway", check=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn(f"{self.new.name} is active", again.stderr)
        return rehearsed

    def assert_only_missing(self, site, lost):
        """Everything else, also what was accepted during the refusal, is there once."""
        site.wait_hubs_follow(self.new, self.begun)
        site.wait_sent()
        site.wait_filled(self.new)
        counted = site.census(self.new, lost)
        self.say(f"accepted {len(counted.accepted)}, resubmitted {counted.resubmitted}, missing {len(counted.missing)}")
        self.assertEqual(counted.missing, lost, counted.details())
        self.assertEqual(counted.duplicated, {})

    def test_good_refuses_what_no_dumpster_covers_until_an_administrator_decides(self):
        site = self.start("good")
        lost = self.lose_dumpster(site, site.hubs[1])
        self.wait_refused(site, NOT_COVERED)
        self.assertEqual({hub.active() for hub in site.hubs}, {self.old.name}, "no hub was told")
        site.send(count=40, rate=50, prefix="meanwhile")
        self.assertIn(NOT_COVERED, self.promote_anyway())
        self.assertIn("promoted all the same", self.new.read(REPORT))
        self.assert_only_missing(site, lost)

    def test_best_availability_promotes_by_itself_and_says_what_is_not_covered(self):
        site = self.start("best_availability")
        lost = self.lose_dumpster(site, site.hubs[1])
        site.wait_hubs_follow(self.new, self.begun)
        report = self.new.read(REPORT)
        self.assertIn("promoted all the same", report)
        self.assertIn(NOT_COVERED, report)
        self.assert_only_missing(site, lost)

    def test_lossless_waits_for_a_hub_that_is_away_and_goes_on_when_it_is_back(self):
        site = self.start("lossless")
        site.hubs[1].kill()
        self.old.kill()
        self.wait_refused(site, "a hub was not reached")
        site.hubs[1].start()
        wait_until(lambda: promoted_node(self.new) == self.new.name, 120, lambda: f"promoted\n{site.state()}", pause=0.3)
        self.say(f"{self.new.name} is promoted by itself")
        self.assert_only_missing(site, set())

    def test_lossless_is_overruled_without_a_hub_whose_mail_is_filled_when_it_is_back(self):
        site = self.start("lossless")
        site.hubs[1].kill()
        self.old.kill()
        self.wait_refused(site, "a hub was not reached")
        self.promote_anyway()
        self.assertEqual(site.hubs[0].active(), self.new.name)
        site.hubs[1].start()
        self.assert_only_missing(site, set())


if __name__ == "__main__":
    unittest.main()
