import json
import os
import shutil
import signal
import unittest

from case import ALICE, BOB, CLUSTER, GROUP, EndToEnd
from harness import dovecot, http_calls
from harness.agent import Agent
from harness.failover import DovecotFailover
from harness.hub import Cluster, Hub
from harness.lmtp_sink import DEFER, DROP_STORED, DROP_UNSTORED
from harness.load import Load
from harness.processes import wait_until


class Watched(EndToEnd):
    """A pair of LMTP nodes, the agents of both watching."""

    def setUp(self):
        super().setUp()
        self.old, self.new = self.sinks("node1", "node2")
        self.hub = self.clustered_hub([self.old, self.new], settings={"recovery": {"in_doubt_wait": "600s"}})
        # Each has looked once, so the hub knows of them: what falls in doubt from then on waits for evidence.
        self.active = self.watching(self.old)
        self.passive = self.watching(self.new)

    def watching(self, node, hubs=None):
        agent = self.agent(hubs or [self.hub], node)
        agent.watch(self.workspace)
        return agent

    def state_of(self, message_id):
        lines, _ = self.hub.api().deliveries(CLUSTER, GROUP)
        return [line["state"] for line in lines if line["message_id"] == message_id]

    def wait_confirmed(self, agent, recipients):
        wait_until(lambda: agent.metric("agent_confirmed_total") >= recipients, 30, lambda: agent.log()[-2000:])

    def promote(self, agent, *options):
        promoted = agent.run("promote", "--wait", "3s", *options)
        self.assertEqual(promoted.returncode, 0, promoted.stdout + promoted.stderr)
        self.hub.wait_spool_empty()
        return promoted

    def test_confirmed_mail_that_its_reader_deletes_does_not_come_back(self):
        mails = self.send(self.hub, ["deleted@x", "kept@x", "lost@x"])
        self.wait_copies(self.old, mails)
        self.old.replicate_to(self.new, lambda _, message_id: message_id != "lost@x")
        self.wait_confirmed(self.passive, 2)
        wait_until(lambda: self.passive.metric("agent_replication_lag_seconds") > 0, 20, "what is lost counts as lag")
        self.new.delete("deleted@x")
        self.old.kill()
        self.promote(self.passive)
        self.assert_each_once(self.new.copies(), {(ALICE, "kept@x"), (ALICE, "lost@x")})
        self.assertNotIn((ALICE, "deleted@x"), self.new.copies())

    def test_what_the_active_node_discards_is_absent_and_does_not_come_back(self):
        mails = self.send(self.hub, ["discarded@x"])
        self.wait_copies(self.old, mails)
        self.old.delete("discarded@x")
        self.wait_copies(self.old, self.send(self.hub, ["later@x"]))
        wait_until(lambda: self.state_of("discarded@x") == ["absent"], 30, lambda: self.active.log()[-2000:])
        self.old.kill()
        self.promote(self.passive)
        self.assert_each_once(self.new.copies(), {(ALICE, "later@x")})

    def test_a_mail_that_the_new_node_does_not_take_yet_holds_up_nobody(self):
        self.wait_copies(self.old, self.send(self.hub, ["lost@x", "full@x"]))
        self.old.kill()
        self.new.rules += [("full@x", DEFER)] * 1000
        promoted = self.passive.run("promote", "--wait", "3s", "--patience", "2s", "--json")
        total = json.loads(promoted.stdout)["total"]
        self.assertEqual((promoted.returncode, total["delivered"], total["waiting"]), (4, 1, 1), promoted.stdout)
        self.new.rules.insert(0, ("doubt@x", DROP_UNSTORED))
        self.send(self.hub, ["doubt@x"])
        wait_until(lambda: (ALICE, "doubt@x") in self.new.copies(), 30, lambda: self.passive.log()[-2000:])
        self.assertNotIn((ALICE, "full@x"), self.new.copies())
        self.new.rules.clear()
        wait_until(lambda: (ALICE, "full@x") in self.new.copies(), 60, lambda: self.hub.log()[-2000:])
        self.hub.wait_spool_empty()
        self.assert_each_once(self.new.copies(), {(ALICE, name) for name in ("lost@x", "full@x", "doubt@x")})

    def test_the_active_node_settles_what_is_in_doubt_by_itself(self):
        self.old.rules += [("stored@x", DROP_STORED), ("unstored@x", DROP_UNSTORED)]
        mails = self.send(self.hub, ["before@x", "stored@x", "unstored@x", "after@x"])
        self.wait_copies(self.old, mails)
        wait_until(lambda: self.hub.metric("dumpster_in_doubt") == 0, 30, lambda: self.active.log()[-2000:])
        self.assert_each_once(self.old.copies(), mails)

    def test_a_crash_of_the_hub_in_mid_stream_duplicates_nothing_while_an_agent_watches(self):
        load = self.workspace.own(Load(self.hub.smtp_port, [ALICE, BOB], count=300).start())
        wait_until(lambda: len(self.old.acknowledged) > 100, 60, "100 deliveries", pause=0.005)
        self.hub.kill()
        self.hub.start()
        load.join()
        self.wait_copies(self.old, load.accepted)
        self.hub.wait_spool_empty()
        self.assert_each_once(self.old.copies(), set(load.accepted))

    def test_a_store_that_is_not_mounted_is_an_error_and_nothing_is_filled(self):
        self.wait_copies(self.old, self.send(self.hub, ["a@x", "b@x"]))
        self.old.replicate_to(self.new, lambda *_: True)
        self.wait_confirmed(self.passive, 2)
        away = self.new.mail.with_name("unmounted")
        self.new.mail.rename(away)
        self.new.mail.mkdir()
        self.old.kill()
        promoted = self.passive.run("promote", "--wait", "2s")
        self.assertEqual(promoted.returncode, 1, promoted.stdout + promoted.stderr)
        self.assertEqual(self.hub.api().cluster(CLUSTER)["active"], "node1")
        self.assertEqual(list(self.new.mail.iterdir()), [])
        self.new.mail.rmdir()
        away.rename(self.new.mail)
        self.promote(self.passive)
        self.assert_each_once(self.new.copies(), {(ALICE, "a@x"), (ALICE, "b@x")})

    def test_a_passive_node_that_is_restored_from_a_backup_confirms_nothing_of_before(self):
        self.wait_copies(self.old, self.send(self.hub, ["a@x", "b@x"]))
        self.old.replicate_to(self.new, lambda _, message_id: message_id == "a@x")
        self.wait_confirmed(self.passive, 1)
        backup = self.new.mail.with_name("backup")
        shutil.copytree(self.new.mail, backup)
        (backup / ".dumpster-store").write_text("of another time\n")
        for path in backup.rglob("*"):
            if path.is_file() and path.name != ".dumpster-store":
                path.unlink()
        shutil.rmtree(self.new.mail)
        backup.rename(self.new.mail)
        self.old.kill()
        self.promote(self.passive)
        self.assert_each_once(self.new.copies(), {(ALICE, "a@x"), (ALICE, "b@x")})

    def test_two_failovers_in_a_row_neither_lose_nor_duplicate(self):
        mails = self.send(self.hub, ["one@x", "two@x", "three@x"])
        self.wait_copies(self.old, mails)
        self.old.kill()
        self.promote(self.passive)
        self.assert_each_once(self.new.copies(), mails)
        # The old node comes back empty; of what the new one has got, one is replicated before that dies, too.
        shutil.rmtree(self.old.mail)
        self.old.mail.mkdir()
        (self.old.mail / ALICE).mkdir()
        for folder in ("new", "cur", "tmp"):
            (self.old.mail / ALICE / folder).mkdir()
        self.old.start()
        self.new.replicate_to(self.old, lambda _, message_id: message_id == "two@x")
        self.new.kill()
        self.promote(self.active)
        self.assert_each_once(self.old.copies(), mails)

    def test_promote_does_not_wait_for_watch(self):
        self.wait_copies(self.old, self.send(self.hub, ["a@x"]))
        self.old.kill()
        self.promote(self.passive)
        wait_until(lambda: self.passive.metric("agent_active") == 1, 20, lambda: self.passive.log()[-2000:])
        wait_until(lambda: self.active.metric("agent_term") == 1, 20, lambda: self.active.log()[-2000:])
        self.assertEqual(self.active.metric("agent_active"), 0)

    def test_an_agent_that_is_killed_goes_on_where_it_was(self):
        self.wait_copies(self.old, self.send(self.hub, ["a@x"]))
        self.old.replicate_to(self.new, lambda *_: True)
        self.wait_confirmed(self.passive, 1)
        self.passive.process.kill()
        self.new.delete("a@x")
        self.passive.watch(self.workspace)
        self.wait_copies(self.old, self.send(self.hub, ["b@x"]))
        self.old.kill()
        self.promote(self.passive)
        self.assertEqual(self.new.copies(), {(ALICE, "b@x"): 1})

    def test_watch_ends_at_once_when_it_is_asked_to(self):
        os.kill(self.passive.process.id, signal.SIGTERM)
        self.assertEqual(self.passive.process.wait(2), 0)

    def test_a_mailbox_that_was_restored_from_an_old_backup_is_filled_again_and_only_that(self):
        mails = self.send(self.hub, ["old@x", "new@x"], [ALICE, BOB])
        self.wait_copies(self.old, mails)
        self.wait_confirmed(self.active, 4)
        for path in sorted((self.old.mail / ALICE).rglob("*")):
            if path.is_file() and b"<new@x>" in path.read_bytes():
                path.unlink()
        next((self.old.mail / BOB / "new").iterdir()).unlink()
        filled = self.active.run("fill", "--from", "2026-01-01T00:00:00Z", "--mailbox", ALICE)
        self.assertEqual(filled.returncode, 0, filled.stdout + filled.stderr)
        self.hub.wait_spool_empty()
        copies = self.old.copies()
        self.assertEqual([copies[ALICE, "old@x"], copies[ALICE, "new@x"]], [1, 1])
        self.assertEqual(sum(copies[BOB, message_id] for message_id in ("old@x", "new@x")), 1)

    def test_the_report_says_why_each_message_was_filled(self):
        self.wait_copies(self.old, self.send(self.hub, ["lost@x"]))
        self.old.kill()
        path = self.workspace.base / "report"
        self.promote(self.passive, "--report", str(path))
        (line,) = path.read_text().splitlines()
        self.assertIn("lost@x", line)
        self.assertIn("acknowledged it", line)


class FullQuota(EndToEnd):
    def test_a_quota_that_is_full_at_the_failover_costs_nothing_of_what_replication_had_not_brought_over(self):
        old, new = self.sinks("node1", "node2")
        hub = self.clustered_hub([old, new], limits={"max_size": "256KiB"})
        agent = self.agent([hub], new).watch(self.workspace)
        mails = set()
        for batch in range(4):
            part = self.send(hub, [f"replicated{batch}.{number}@x" for number in range(5)], size=20000)
            self.wait_copies(old, part)
            old.replicate_to(new, lambda _, message_id: (ALICE, message_id) in part)
            mails |= part
            wait_until(lambda: agent.metric("agent_confirmed_total") >= len(mails), 30, lambda: agent.log()[-2000:])
        mails |= self.send(hub, [f"lost{number}@x" for number in range(6)], size=20000)
        self.wait_copies(old, mails)
        hub.wait_spool_empty()
        wait_until(lambda: 0 < hub.metric("dumpster_bytes") <= 256 * 1024, 30, "the quota is full")
        self.assertGreater(hub.metric("dumpster_removed_total", reason="size"), 10)
        old.kill()
        fresh = self.workspace.own(Load(hub.smtp_port, [ALICE], count=30, size=20000).start())
        promoted = agent.run("promote", "--wait", "3s")
        self.assertEqual(promoted.returncode, 0, promoted.stdout + promoted.stderr)
        fresh.join()
        hub.wait_spool_empty()
        self.assert_each_once(new.copies(), mails | set(fresh.accepted))
        wait_until(lambda: hub.metric("dumpster_bytes") <= 256 * 1024, 30, "the quota holds again")


class StandsAside(EndToEnd):
    def test_an_active_node_with_another_mail_store_keeps_nothing_held_and_says_so_until_it_is_promoted(self):
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node], settings={"recovery": {"in_doubt_wait": "4s"}})
        agent = self.agent([hub], node).watch(self.workspace)
        wait_until(lambda: agent.metric("agent_rounds_total") >= 6, 20, lambda: agent.log()[-2000:])
        mails = self.send(hub, ["before@x"])
        self.wait_copies(node, mails)
        (node.mail / ".dumpster-store").write_text("of another time\n")
        wait_until(lambda: agent.metric("agent_standing_aside") == 1, 20, lambda: agent.log()[-2000:])
        node.rules += [("unstored@x", DROP_UNSTORED)]
        mails |= self.send(hub, ["unstored@x"])
        self.wait_copies(node, mails)
        self.assertEqual(agent.metric("agent_in_doubt_settled_total"), 0)
        self.assertIn("stands aside", agent.log())
        self.assertIn("STANDS ASIDE", agent.run("status").stdout)
        promoted = agent.run("promote", "--wait", "3s")
        self.assertEqual(promoted.returncode, 0, promoted.stdout + promoted.stderr)
        wait_until(lambda: agent.metric("agent_standing_aside") == 0, 20, lambda: agent.log()[-2000:])
        self.assert_each_once(node.copies(), mails)


class LateHub(EndToEnd):
    def test_a_hub_that_comes_back_late_is_filled_by_watch_and_deleted_mail_stays_deleted(self):
        old, new = self.sinks("node1", "node2")
        first = self.clustered_hub([old, new], name="hub1")
        second = self.clustered_hub([old, new], name="hub2")
        agent = self.agent([first, second], new)
        agent.watch(self.workspace)
        mails = self.send(first, ["first@x"]) | self.send(second, ["second@x", "read@x", "gone@x"])
        self.wait_copies(old, mails)
        second.kill()
        old.replicate_to(new, lambda _, message_id: message_id in ("read@x", "gone@x"))
        old.kill()
        promoted = agent.run("promote", "--wait", "1s")
        self.assertEqual(promoted.returncode, 2, promoted.stdout + promoted.stderr)
        new.delete("gone@x")
        second.start()
        self.wait_copies(new, {(ALICE, "first@x"), (ALICE, "second@x"), (ALICE, "read@x")})
        wait_until(lambda: agent.metric("agent_hubs", state="pending") == 0, 60, lambda: agent.log()[-3000:])
        second.wait_spool_empty()
        self.assertEqual(second.api().cluster(CLUSTER)["active"], "node2")
        self.assertNotIn((ALICE, "gone@x"), new.copies())
        self.assert_each_once(new.copies(), {(ALICE, "first@x"), (ALICE, "second@x"), (ALICE, "read@x")})


@unittest.skipIf(dovecot.available(), dovecot.available() or "")
class WatchedDovecotPair(EndToEnd):
    def test_mail_that_dovecot_had_replicated_and_its_reader_deleted_does_not_come_back(self):
        failover = DovecotFailover(self.workspace, mails=60, mailboxes=3)
        failover.start()
        watching = failover.agents["node2"]
        watching.watch(self.workspace)
        self.send(failover.hub, ["read@x"], failover.mailboxes[:1])
        wait_until(lambda: watching.metric("agent_confirmed_total") >= 1, 120, lambda: watching.log()[-3000:])
        failover.new.doveadm("expunge", "-u", failover.mailboxes[0], "mailbox", "INBOX", "all")
        failover.crash(pause_replication=True)
        self.assert_exact(failover.refill())
        self.assertNotIn((failover.mailboxes[0], "read@x"), failover.new.settled_copies())

    def test_a_hub_that_stays_away_until_its_retention_is_over_is_named_and_not_waited_for(self):
        old, new = self.sinks("node1", "node2")
        first = self.clustered_hub([old, new], name="hub1")
        second = self.clustered_hub([old, new], name="hub2", limits={"max_time": "5s"})
        agent = self.agent([first, second], new).watch(self.workspace)
        mails = self.send(first, ["first@x"]) | self.send(second, ["second@x"])
        self.wait_copies(old, mails)
        second.kill()
        old.kill()
        promoted = agent.run("promote", "--wait", "1s")
        self.assertEqual(promoted.returncode, 2, promoted.stdout + promoted.stderr)
        wait_until(lambda: agent.metric("agent_hubs", state="never_asked") == 1, 60, lambda: agent.log()[-2000:])
        self.assertEqual(agent.metric("agent_hubs", state="pending"), 0)
        self.assertIn("a hub was never asked", agent.log())
        shown = agent.run("status", "--wait", "1s")
        self.assertEqual(shown.returncode, 3, shown.stdout)
        self.assertIn(f"NEVER ASKED {second.url}", shown.stdout)
        second.start()
        wait_until(lambda: agent.metric("agent_hubs", state="never_asked") == 0, 60, lambda: agent.log()[-2000:])
        self.assertEqual(second.api().cluster(CLUSTER)["active"], "node2")
        self.assert_each_once(new.copies(), {(ALICE, "first@x")})


if __name__ == "__main__":
    unittest.main()
