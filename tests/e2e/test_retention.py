import datetime
import unittest

from case import CLUSTER, GROUP, EndToEnd
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


if __name__ == "__main__":
    unittest.main()
