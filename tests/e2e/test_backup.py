import datetime
import shutil
import unittest

from case import ALICE, BOB, CLUSTER, GROUP, EndToEnd
from harness import maildir
from harness.hub import run
from harness.load import Load
from harness.processes import wait_until

ELSEWHERE = "carol@elsewhere.test"


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Backup(EndToEnd):
    def back_up(self, hub):
        folder = self.workspace.base / "backup"
        made = hub.control("dumpster", "backup", folder)
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        return folder

    def restore(self, hub, folder):
        """The hub's disk is lost; what was saved elsewhere comes in its place, as deploy/README.md says."""
        hub.kill()
        shutil.rmtree(hub.data / "store")
        shutil.copytree(folder, hub.data / "store")
        hub.start()

    def test_a_backup_is_made_while_mail_flows_and_is_sound(self):
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node])
        load = self.workspace.own(Load(hub.smtp_port, [ALICE, BOB], count=400).start())
        wait_until(lambda: len(load.accepted) > 100, 60, "mail flows")
        folder = self.back_up(hub)
        again = hub.control("dumpster", "backup", folder)
        self.assertEqual(again.returncode, 1)
        self.assertIn("is there already", again.stderr)
        load.join()
        self.wait_copies(node, load.accepted)
        self.restore(hub, folder)
        hub.stop()
        verified = run([self.workspace.bin / "dumpsterd", "--config", hub.configuration, "--verify"])
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)

    def test_what_a_restored_hub_has_spooled_is_settled_by_the_agent_and_never_goes_out_twice(self):
        node1, node2 = self.sinks("node1", "node2")
        hub = self.clustered_hub([node1, node2], settings={"recovery": {"in_doubt_wait": "600s"}})
        agent = self.agent([hub], node1, settle="0s")
        delivered = self.send(hub, ["before@x"])
        self.wait_copies(node1, delivered)
        node1.kill()
        waiting = self.send(hub, ["late-delivered@x", "late-lost@x"])
        before = hub.api().hub()
        folder = self.back_up(hub)
        # Later than the backup both are delivered by the original hub, and the node loses one of them.
        node1.start()
        self.wait_copies(node1, waiting)
        hub.kill()
        for path in maildir.message_files(node1.mail / ALICE):
            if maildir.header_of(path, "Message-ID") == "<late-lost@x>":
                path.unlink()
        self.restore(hub, folder)

        now = hub.api().hub()
        self.assertNotEqual(now["store_id"], before["store_id"])
        self.assertGreater(instant(now["store_created"]), instant(before["now"]))
        lines, last = hub.api().deliveries(CLUSTER, GROUP, **{"from": before["store_created"]})
        self.assertFalse(last["complete"])
        self.assertEqual(last["covered_from"], now["store_created"])
        states = {line["message_id"]: line["state"] for line in lines}
        self.assertEqual(states["before@x"], "delivered")
        self.assertEqual(states["late-delivered@x"], "in_doubt")
        # Fresh mail goes at once; what was in the spool waits for evidence, though no agent was ever there.
        self.wait_copies(node1, self.send(hub, ["fresh@x"]))
        self.assertEqual(hub.metric("dumpster_in_doubt"), 2)
        filled = agent.run("promote")
        self.assertIn(filled.returncode, (0, 3), filled.stdout + filled.stderr)
        self.wait_copies(node1, waiting)
        hub.wait_spool_empty()
        self.assert_each_once(node1.copies(), {(ALICE, name) for name in ("before@x", "fresh@x")} | waiting)

    def test_nothing_of_a_restored_spool_goes_out_before_the_hold_is_over(self):
        (node,) = self.sinks("node1")
        other = self.sinks("elsewhere")[0]
        hub = self.clustered_hub(
            [node],
            recipients=[f"{ELSEWHERE} {other.deliver_to}"],
            settings={"recovery": {"in_doubt_wait": "6s"}},
        )
        node.kill()
        other.kill()
        waiting = self.send(hub, ["spooled@x"], [ALICE, ELSEWHERE])
        folder = self.back_up(hub)
        node.start()
        other.start()
        self.restore(hub, folder)
        started = instant(hub.api().hub()["now"])
        fresh = self.send(hub, ["fresh@x"], [ALICE, ELSEWHERE])
        self.wait_copies(node, {mail for mail in fresh if mail[0] == ALICE})
        self.wait_copies(other, {mail for mail in fresh if mail[0] == ELSEWHERE})
        self.assertNotIn((ALICE, "spooled@x"), node.copies())
        self.assertNotIn((ELSEWHERE, "spooled@x"), other.copies())
        self.wait_copies(node, {mail for mail in waiting if mail[0] == ALICE})
        self.wait_copies(other, {mail for mail in waiting if mail[0] == ELSEWHERE})
        lines, _ = hub.api().deliveries(CLUSTER, GROUP)
        (line,) = [line for line in lines if line["message_id"] == "spooled@x"]
        self.assertGreater(instant(line["delivered_at"]) - started, datetime.timedelta(seconds=1.5))

    def test_resubmissions_of_a_backup_are_cancelled_and_do_not_run_again(self):
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node])
        mails = self.send(hub, ["m1@x"])
        self.wait_copies(node, mails)
        hub.wait_spool_empty()
        node.kill()
        window = {"from": "2020-01-01T00:00:00Z", "until": hub.api().hub()["now"]}
        status, request = hub.api().resubmit(CLUSTER, GROUP, key="k", **window)
        self.assertEqual(status, 202)
        folder = self.back_up(hub)
        self.restore(hub, folder)
        node.start()
        _, request = hub.api().call("GET", f"/v1/resubmissions/{request['id']}")
        self.assertEqual(request["state"], "cancelled")
        hub.wait_spool_empty()
        self.wait_copies(node, self.send(hub, ["m2@x"]))
        self.assertEqual(node.copies()[(ALICE, "m1@x")], 1)


if __name__ == "__main__":
    unittest.main()
