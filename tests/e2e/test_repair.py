import unittest

from case import ALICE, CLUSTER, GROUP, EndToEnd
from harness.hub import run


class Repair(EndToEnd):
    def offline(self, hub, flag):
        return run([self.workspace.bin / "dumpsterd", "--config", hub.configuration, flag])

    def largest(self, hub, suffix):
        return max((hub.data / "store" / "db").glob(f"*.{suffix}"), key=lambda path: path.stat().st_size)

    def flip(self, path, place=0.5):
        data = bytearray(path.read_bytes())
        data[int(len(data) * place)] ^= 0x10
        path.write_bytes(bytes(data))

    def test_a_store_is_verified_while_mail_flows(self):
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node])
        self.wait_copies(node, self.send(hub, [f"m{number}@x" for number in range(20)]))
        verified = hub.control("dumpster", "verify")
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)
        self.assertIn("sound", verified.stdout)
        self.assertEqual(hub.metric("dumpster_store_damaged_places"), 0)

    def test_a_damaged_log_refuses_to_open_until_it_is_repaired_and_nothing_readable_is_lost(self):
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node])
        delivered = self.send(hub, ["delivered@x"])
        self.wait_copies(node, delivered)
        hub.wait_spool_empty()
        before = hub.api().hub()
        node.kill()
        waiting = self.send(hub, [f"m{number}@x" for number in range(40)], size=4000)
        hub.kill()
        self.flip(self.largest(hub, "log"), 0.6)
        hub.start(ready=False)
        self.assertEqual(hub.process.wait(30), 1)
        self.assertIn("--repair", hub.log())
        repaired = self.offline(hub, "--repair")
        self.assertEqual(repaired.returncode, 0, repaired.stdout + repaired.stderr)
        self.assertTrue((hub.data / "store.damaged" / "FORMAT").exists())
        verified = self.offline(hub, "--verify")
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)
        hub.settings["recovery"] = {"in_doubt_wait": "1s"}
        node.start()
        hub.start()
        self.assertNotEqual(hub.api().hub()["store_id"], before["store_id"])
        hub.wait_spool_empty()
        copies = node.copies()
        missing = [mail for mail in waiting if mail not in copies]
        self.assertLess(len(missing), 12, "a block of the log is 32 KiB")
        lines, last = hub.api().deliveries(CLUSTER, GROUP, **{"from": before["store_created"]})
        self.assertFalse(last["complete"])
        self.assertIn("delivered@x", {line["message_id"] for line in lines})
        self.wait_copies(node, self.send(hub, ["after@x"], [ALICE]))


if __name__ == "__main__":
    unittest.main()
