import datetime
import pathlib
import unittest

from case import ALICE, BOB, CLUSTER, GROUP, EndToEnd
from harness.load import Load
from harness.processes import wait_until

LIMIT = 256 * 1024


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Retention(EndToEnd):
    def test_size_evicts_the_oldest_and_the_hub_says_what_it_no_longer_covers(self):
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node], limits={"max_size": "256KiB"})
        created = hub.api().hub()["store_created"]
        ids = [f"m{number:02}@x" for number in range(40)]
        for message_id in ids:
            self.wait_copies(node, self.send(hub, [message_id], size=20000))
        hub.wait_spool_empty()
        wait_until(lambda: hub.metric("dumpster_bytes") <= LIMIT, 20, "the size is within its limit")
        lines, last = hub.api().deliveries(CLUSTER, GROUP, **{"from": created})
        kept = [line["message_id"] for line in lines]
        self.assertEqual(kept, ids[-len(kept) :])
        self.assertGreater(len(kept), 5)
        self.assertLess(len(kept), 14)
        self.assertLessEqual(sum(line["size"] for line in lines), LIMIT)
        self.assertEqual(hub.metric("dumpster_removed_total", reason="size"), len(ids) - len(kept))
        self.assertFalse(last["complete"])
        self.assertGreater(instant(last["covered_from"]), instant(created))
        self.assertLessEqual(instant(last["covered_from"]), instant(lines[0]["delivered_at"]))
        _, within = hub.api().deliveries(CLUSTER, GROUP, **{"from": last["covered_from"]})
        self.assertTrue(within["complete"])
        hub.kill()
        hub.start()
        _, restarted = hub.api().deliveries(CLUSTER, GROUP, **{"from": created})
        self.assertEqual(restarted["covered_from"], last["covered_from"])
        self.assertEqual(restarted["count"], len(kept))

    def test_time_evicts_too(self):
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node], limits={"max_time": "2s"})
        self.wait_copies(node, self.send(hub, ["first@x"]))
        wait_until(lambda: hub.metric("dumpster_removed_total", reason="time") == 1, 60, "eviction by time", pause=0.2)

    def test_what_the_passive_node_has_is_dropped_where_that_is_switched_on(self):
        node1, node2 = self.sinks("node1", "node2")
        hub = self.clustered_hub([node1, node2], settings={"dumpster": {"truncate_replicated": True}})
        path = f"/v1/clusters/{CLUSTER}/storage-groups/{GROUP}/replicated"
        self.wait_copies(node1, self.send(hub, ["m1@x", "m2@x"]))
        hub.wait_spool_empty()
        lines, before = hub.api().deliveries(CLUSTER, GROUP)
        report = {"node": "node2", "through": lines[0]["delivered_at"]}
        passive = hub.api(hub.token_of(CLUSTER, "node2"), "node2")
        self.assertEqual(hub.api(hub.token_of(CLUSTER, "node1"), "node1").call("PUT", path, report)[0], 403)
        self.assertEqual(hub.api().call("PUT", path, {**report, "node": "node1"})[0], 409)
        self.assertEqual(hub.metric("dumpster_messages"), 2)
        self.assertEqual(passive.call("PUT", path, report), (200, report))
        kept, after = hub.api().deliveries(CLUSTER, GROUP)
        self.assertEqual(kept, lines[1:])
        self.assertEqual(after["covered_from"], before["covered_from"])
        self.assertEqual(hub.metric("dumpster_removed_total", reason="replicated"), 1)
        self.assertEqual(hub.metric("dumpster_removed_unconfirmed_total"), 0)

    def test_retention_that_is_off_says_so(self):
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node], limits={"max_size": "0"})
        self.wait_copies(node, self.send(hub, ["gone@x"]))
        hub.wait_spool_empty()
        lines, last = hub.api().deliveries(CLUSTER, GROUP)
        self.assertEqual(lines, [])
        self.assertEqual(last["covered_from"], last["now"])
        self.assertEqual(hub.metric("dumpster_max_bytes"), 0)
        self.assertRegex(hub.log(), r"(?i)retention")

    def test_a_refill_through_a_quota_that_is_full_of_fresh_mail_loses_nothing(self):
        node1, node2 = self.sinks("node1", "node2")
        hub = self.clustered_hub([node1, node2], limits={"max_size": "512KiB"})
        load = Load(hub.smtp_port, [ALICE, BOB], count=1000, rate=50).start()
        self.addCleanup(load.stop)
        wait_until(lambda: hub.metric("dumpster_removed_total", reason="size") > 50, 60, "the quota is full")
        node1.kill()
        lines, last = hub.api().deliveries(CLUSTER, GROUP)
        lost_since = last["now"]
        gap = [line for line in lines if instant(line["delivered_at"]) > instant(lost_since) - datetime.timedelta(seconds=2)]
        self.assertGreater(len(gap), 50)
        self.assertLess(instant(last["covered_from"]), instant(gap[0]["delivered_at"]))
        # Nothing of it was replicated: all that the window reaches is missing on the other node.
        filled = self.agent([hub], node2, lookback="3s").run("promote")
        self.assertEqual(filled.returncode, 0, filled.stdout + filled.stderr)
        self.assertFalse(load.finished(), "mail flowed all the while")
        after = len(load.accepted)
        wait_until(lambda: len(load.accepted) > after + 100, 60, "fresh mail")
        load.stop()
        hub.wait_spool_empty()
        mails = {(one["mailbox"], line["message_id"]) for line in gap for one in line["recipients"]}
        self.wait_copies(node2, mails)
        self.assert_each_once(node2.copies(), mails)
        arrived = set(node1.copies()) | set(node2.copies())
        self.assertEqual(set(load.accepted) - arrived, set())
        wait_until(lambda: hub.metric("dumpster_bytes") <= 2 * LIMIT, 60, "the quota holds again")


FAKETIME = pathlib.Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


@unittest.skipUnless(FAKETIME.exists(), "libfaketime is not installed")
class WithAClockThatJumps(EndToEnd):
    """The hub's clock is the test's to set; its timers run on as they do."""

    def setUp(self):
        super().setUp()
        self.clock = self.workspace.base / "clock"
        self.turn("+0")
        (self.node,) = self.sinks("node1")
        self.hub = self.clustered_hub([self.node], limits={"max_time": "7d"}, start=False)
        self.hub.environment = {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(self.clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.hub.start()

    def turn(self, offset):
        """Sets the clock by an offset to the true time, e.g. "-1h"."""
        new = self.clock.with_suffix(".new")
        new.write_text(offset + "\n")
        new.rename(self.clock)

    def test_times_of_delivery_only_grow_when_the_clock_steps_back(self):
        ids = []
        for number, offset in enumerate(("+0", "-1h", "-2d", "+0", "-10m")):
            self.turn(offset)
            ids += [f"m{number}.{part}@x" for part in range(5)]
            self.wait_copies(self.node, self.send(self.hub, ids[-5:]))
            self.hub.wait_spool_empty()
        lines, last = self.hub.api().deliveries(CLUSTER, GROUP)
        times = [line["delivered_at"] for line in lines]
        self.assertEqual(len(times), len(ids))
        self.assertEqual(times, sorted(set(times)))
        self.assertGreater(last["now"], times[-1])
        order = [line["message_id"].split(".")[0] for line in lines]
        self.assertEqual(order, sorted(order))

    def test_what_is_older_than_the_time_limit_goes_when_the_days_have_passed(self):
        self.wait_copies(self.node, self.send(self.hub, ["old@x"]))
        self.hub.wait_spool_empty()
        self.turn("+6d")
        self.wait_copies(self.node, self.send(self.hub, ["young@x"]))
        self.hub.wait_spool_empty()
        self.turn("+8d")
        wait_until(lambda: self.hub.metric("dumpster_removed_total", reason="time") == 1, 60, "eviction by time", pause=0.2)
        lines, last = self.hub.api().deliveries(CLUSTER, GROUP)
        self.assertEqual([line["message_id"] for line in lines], ["young@x"])
        self.assertLess(instant(last["covered_from"]), instant(lines[0]["delivered_at"]))


if __name__ == "__main__":
    unittest.main()
