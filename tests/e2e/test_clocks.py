import pathlib
import unittest

from case import ALICE, CLUSTER, EndToEnd
from harness.lmtp_sink import DROP_STORED, DROP_UNSTORED
from harness.processes import wait_until

FAKETIME = pathlib.Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


@unittest.skipUnless(FAKETIME.exists(), "libfaketime is not installed")
class ClocksApart(EndToEnd):
    """The node's clock, its files included, is minutes from the hub's: far more than the margin."""

    def fail_over(self, offset):
        old, new = self.sinks("node1", "node2")
        hub = self.clustered_hub([old, new], settings={"recovery": {"in_doubt_wait": "600s"}})
        self.agent([hub], old).get_in_touch()
        wait_until(lambda: hub.metric("cluster_agent_seen_timestamp_seconds", node=old.name), 20, "agent in touch")
        agent = self.agent([hub], new, margin="2s", lookback="1m")
        agent.environment = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        agent.watch(self.workspace)
        mails = self.send(hub, ["deleted@x", "kept@x", "lost@x"])
        self.wait_copies(old, mails)
        old.replicate_to(new, lambda _, message_id: message_id != "lost@x")
        wait_until(lambda: agent.metric("agent_confirmed_total") >= 2, 30, lambda: agent.log()[-2000:])
        self.assertLess(agent.metric("agent_replication_lag_seconds"), 60)
        new.delete("deleted@x")
        old.rules += [("stored@x", DROP_STORED), ("unstored@x", DROP_UNSTORED)]
        mails |= self.send(hub, ["stored@x", "unstored@x"])
        wait_until(lambda: hub.metric("dumpster_in_doubt") == 2, 20, "two in doubt")
        old.replicate_to(new, lambda _, message_id: message_id == "stored@x")
        old.kill()
        promoted = agent.run("promote", "--wait", "3s")
        self.assertEqual(promoted.returncode, 0, promoted.stdout + promoted.stderr)
        hub.wait_spool_empty()
        self.assert_each_once(new.copies(), mails - {(ALICE, "deleted@x")})
        self.assertNotIn((ALICE, "deleted@x"), new.copies())
        # As the active node's, it settles and reports in the hub's time, too.
        wait_until(lambda: agent.metric("agent_active") == 1, 20, lambda: agent.log()[-2000:])
        new.rules += [("later.unstored@x", DROP_UNSTORED)]
        later = self.send(hub, ["later.unstored@x", "discarded@x"])
        self.wait_copies(new, later)
        new.delete("discarded@x")
        self.wait_copies(new, self.send(hub, ["last@x"]))
        wait_until(
            lambda: [line["message_id"] for line in hub.api().deliveries(CLUSTER, "sg1", state="absent")[0]] == ["discarded@x"],
            30,
            lambda: agent.log()[-2000:],
        )
        self.assert_each_once(new.copies(), {(ALICE, "later.unstored@x"), (ALICE, "last@x")})

    def test_a_node_whose_clock_is_seven_minutes_ahead_is_filled_exactly(self):
        self.fail_over("+7m")

    def test_a_node_whose_clock_is_seven_minutes_behind_is_filled_exactly(self):
        self.fail_over("-7m")


if __name__ == "__main__":
    unittest.main()
