import json
import unittest
import zlib

from case import ALICE, BOB, CLUSTER, GROUP, EndToEnd
from harness import dovecot
from harness.agent import Agent
from harness.census import acknowledged_by, census
from harness.failover import DovecotFailover, workspace_script
from harness.load import Load
from harness.lmtp_sink import DROP_STORED, DROP_UNSTORED
from harness.processes import wait_until


@unittest.skipIf(dovecot.available(), dovecot.available() or "")
class DovecotPair(EndToEnd):
    def run_failover(self, **options):
        failover = DovecotFailover(self.workspace, **options)
        failover.start()
        failover.crash(pause_replication=True)
        self.assertTrue(failover.lost, "nothing was lost, so nothing is shown")
        counted = failover.refill()
        self.assert_exact(counted)
        self.assertGreaterEqual(counted.resubmitted, len(failover.lost))

    def test_a_crashed_dovecot_node_loses_mail_and_promote_brings_back_exactly_that(self):
        self.run_failover(inventory="dovecot")

    def test_the_maildirs_of_a_dovecot_node_serve_as_inventory_too(self):
        self.run_failover(inventory="maildir", mails=200)


NAMESPACES = """\
namespace inbox {{
  prefix = INBOX.
  separator = .
}}
namespace others {{
  type = public
  prefix = Others.
  separator = .
  location = maildir:{mail}/{bob}
  list = yes
}}
"""


@unittest.skipIf(dovecot.available(), dovecot.available() or "")
class DovecotNamespaces(EndToEnd):
    def test_folders_below_a_prefix_count_and_those_of_others_do_not(self):
        node = dovecot.DovecotNode("node1", self.workspace.base, "127.0.0.11", [ALICE, BOB])
        node.settings = NAMESPACES.format(mail=node.mail, bob=BOB)
        self.workspace.own(node).start()
        hub = self.clustered_hub([node, *self.sinks("node2")])
        inventory = {"type": "dovecot", "path": node.configuration}
        agent = Agent(self.workspace, CLUSTER, node.name, [hub], inventory, {"quiesce": "true"})
        promoted = agent.run("promote", "--new-store")
        self.assertEqual(promoted.returncode, 0, promoted.stdout + promoted.stderr)
        mails = self.send(hub, ["kept@x", "filed@x", "lost@x"], [ALICE, BOB])
        self.wait_copies(node, mails)
        for command in (
            ("mailbox", "create", "-u", ALICE, "INBOX.Archive"),
            ("mailbox", "create", "-u", BOB, "INBOX.Archive"),
            ("move", "-u", ALICE, "INBOX.Archive", "mailbox", "INBOX", "header", "message-id", "filed@x"),
            # Where Alice sees it, too.
            ("move", "-u", BOB, "INBOX.Archive", "mailbox", "INBOX", "header", "message-id", "lost@x"),
            ("expunge", "-u", ALICE, "mailbox", "INBOX", "header", "message-id", "lost@x"),
        ):
            done = node.doveadm(*command)
            self.assertEqual(done.returncode, 0, done.stderr)
        seen = node.doveadm("-f", "flow", "fetch", "-u", ALICE, "hdr.message-id", "mailbox", "Others.*", "all").stdout
        self.assertIn("lost@x", seen)
        filled = agent.run("fill", "--from", "2026-01-01T00:00:00Z")
        self.assertEqual(filled.returncode, 0, filled.stdout + filled.stderr)
        self.assertIn("resubmitted 1", filled.stdout)
        hub.wait_spool_empty()
        self.assert_each_once(node.copies(), mails)


class LmtpNodes(EndToEnd):
    def fail_over(self, hubs, old, new, replicated):
        """Kills the old node, gives the new one what had been replicated, and promotes it."""
        old.kill()
        old.replicate_to(new, replicated)
        return self.agent(hubs, new).run("promote", "--wait", "5s")

    def seen_agent(self, hub, node):
        """The active node has an agent: what falls in doubt waits for evidence."""
        self.agent([hub], node).get_in_touch()
        wait_until(lambda: hub.metric("cluster_agent_seen_timestamp_seconds", node=node.name), 20, "agent in touch")

    def test_what_replication_had_not_brought_over_is_refilled_exactly(self):
        old, new = self.sinks("node1", "node2")
        mailboxes = [f"user{number}@example.test" for number in range(6)]
        hub = self.clustered_hub([old, new], mailboxes)
        self.seen_agent(hub, old)
        load = self.workspace.own(Load(hub.smtp_port, mailboxes, count=300).start())
        wait_until(lambda: len(old.acknowledged) > 150, 60, "150 deliveries", pause=0.01)
        old.kill()
        load.join()
        self.assertTrue(load.finished(), "the hub stopped accepting")
        old.replicate_to(new, lambda mailbox, message_id: zlib.crc32(f"{mailbox} {message_id}".encode()) % 3 > 0)
        present = new.copies()
        lost = {mail for mail in acknowledged_by(hub.api(), CLUSTER, GROUP, "node1") if mail not in present}
        self.assertTrue(lost)
        promoted = self.agent([hub], new).run("promote")
        self.assertEqual(promoted.returncode, 0, promoted.stdout + promoted.stderr)
        hub.wait_spool_empty()
        self.assert_exact(census(load.accepted, new.copies(), lost))

    def test_mail_in_doubt_at_the_failover_appears_once_whatever_had_become_of_it(self):
        old, new = self.sinks("node1", "node2")
        hub = self.clustered_hub([old, new], settings={"recovery": {"in_doubt_wait": "600s"}})
        self.seen_agent(hub, old)
        sure = self.send(hub, ["sure1@x", "sure2@x"], [ALICE, BOB])
        self.wait_copies(old, sure)
        old.rules += [
            ("stored.replicated@x", DROP_STORED),
            ("stored.lost@x", DROP_STORED),
            ("unstored@x", DROP_UNSTORED),
        ]
        doubtful = self.send(hub, ["stored.replicated@x", "stored.lost@x", "unstored@x"])
        wait_until(lambda: hub.metric("dumpster_in_doubt") == 3, 20, "three in doubt")
        promoted = self.fail_over([hub], old, new, lambda _, message_id: message_id in ("sure1@x", "stored.replicated@x"))
        self.assertEqual(promoted.returncode, 0, promoted.stdout + promoted.stderr)
        hub.wait_spool_empty()
        self.assert_each_once(new.copies(), sure | doubtful)
        self.assertEqual(hub.metric("dumpster_in_doubt"), 0)

    def test_a_hub_that_was_down_at_the_promotion_is_asked_later(self):
        old, new = self.sinks("node1", "node2")
        first = self.clustered_hub([old, new], name="hub1")
        second = self.clustered_hub([old, new], name="hub2")
        mails = self.send(first, ["first1@x", "first2@x"]) | self.send(second, ["second1@x", "second2@x"])
        self.wait_copies(old, mails)
        second.kill()
        promoted = self.fail_over([first, second], old, new, lambda _, message_id: message_id.endswith("1@x"))
        self.assertEqual(promoted.returncode, 2, promoted.stdout + promoted.stderr)
        second.start()
        filled = self.agent([first, second], new).run("fill")
        self.assertEqual(filled.returncode, 0, filled.stdout + filled.stderr)
        first.wait_spool_empty()
        second.wait_spool_empty()
        self.assert_each_once(new.copies(), mails)

    def test_a_dry_run_changes_nothing(self):
        old, new = self.sinks("node1", "node2")
        hub = self.clustered_hub([old, new])
        self.wait_copies(old, self.send(hub, ["a@x"]))
        before = hub.api().cluster(CLUSTER)
        self.agent([hub], new).run("promote", "--dry-run")
        after = hub.api().cluster(CLUSTER)
        self.assertEqual((after["active"], after["term"]), (before["active"], before["term"]))
        self.assertEqual(new.copies(), {})

    def test_coverage_alone_is_told_without_an_inventory(self):
        old, new = self.sinks("node1", "node2")
        hub = self.clustered_hub([old, new])
        self.wait_copies(old, self.send(hub, ["a@x"]))
        broken = Agent(self.workspace, CLUSTER, "node2", [hub], {"type": "command", "path": "/bin/false"})
        self.assertEqual(broken.run("promote", "--dry-run").returncode, 1)
        covered = broken.run("promote", "--dry-run", "--no-fill")
        self.assertEqual(covered.returncode, 0, covered.stdout + covered.stderr)
        done = hub.control("dumpster", "purge", f"{CLUSTER}/{GROUP}", "--all", "--yes")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        purged = broken.run("promote", "--dry-run", "--no-fill")
        self.assertEqual(purged.returncode, 3, purged.stdout + purged.stderr)
        self.assertIn("NOT COVERED", purged.stdout)
        self.assertEqual(hub.api().cluster(CLUSTER)["term"], 0)

    def test_what_is_purged_between_the_look_and_the_request_is_missing_and_not_covered(self):
        old, new = self.sinks("node1", "node2")
        hub = self.clustered_hub([old, new])
        self.wait_copies(old, self.send(hub, ["a@x", "b@x"]))
        # An inventory that finds nothing, and an operator who empties the dumpster meanwhile.
        purge = f"{hub.bin}/dumpsterctl --socket {hub.admin_socket} dumpster purge {CLUSTER}/{GROUP} --all --yes"
        look = workspace_script(self.workspace.base / "look", f"{purge} >&2")
        agent = Agent(self.workspace, CLUSTER, "node2", [hub], {"type": "command", "path": look}, {"quiesce": "true"})
        promoted = agent.run("promote", "--json")
        report = json.loads(promoted.stdout)
        self.assertEqual((promoted.returncode, report["total"]["missing"]), (4, 2), promoted.stdout + promoted.stderr)
        self.assertFalse(report["hubs"][0]["covered"])
        self.assertIn("left the dumpster", report["hubs"][0]["coverage"])


if __name__ == "__main__":
    unittest.main()
