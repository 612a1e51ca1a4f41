import os
import shutil
import smtplib
import subprocess
import unittest

from case import ALICE, CLUSTER, EndToEnd
from harness import http_calls
from harness.hub import file_digests
from harness.load import message
from harness.processes import wait_until


@unittest.skipUnless(os.geteuid() == 0, "mounting needs root")
class FullDisk(EndToEnd):
    def hub_on_a_small_disk(self, node, relay):
        """The hub, and the disk of 48 MiB that its store is on."""
        node.kill()
        disk = self.workspace.base / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", disk], check=True)
        self.workspace.callback(subprocess.run, ["umount", "--lazy", disk], check=False)
        return self.clustered_hub([node], settings={"hub": {"data_dir": disk / "data"}, "relay": relay}), disk

    def fill(self, hub, shedding=0):
        """Sends mail until it is refused; what was accepted, and the code of the refusal."""
        self.assertEqual(hub.metric("relay_load_shedding"), shedding)
        accepted = set()
        with smtplib.SMTP("127.0.0.1", hub.smtp_port, timeout=60) as client:
            for number in range(40):
                text = message(f"{number}@full.example.net", [ALICE], 3_000_000)
                try:
                    client.sendmail("sender@example.net", [ALICE], text)
                    accepted.add((ALICE, f"{number}@full.example.net"))
                except smtplib.SMTPResponseException as error:
                    return accepted, error.smtp_code
        return accepted, None

    def give_room(self, hub, disk):
        subprocess.run(["mount", "-o", "remount,size=256m", disk], check=True)
        wait_until(lambda: http_calls.get(hub.metrics_address, "/readyz")[0] == 200, 60, "the hub has recovered by itself")
        self.assertEqual(hub.metric("relay_load_shedding"), 0)

    def deliver_all(self, hub, node, accepted):
        node.start()
        accepted |= self.send(hub, ["after@full.example.net"])
        self.wait_copies(node, accepted)
        hub.wait_spool_empty()
        self.assert_each_once(node.copies(), accepted)

    def test_mail_is_refused_with_452_before_the_disk_is_full_and_accepted_again_when_there_is_room(self):
        (node,) = self.sinks("node1")
        hub, disk = self.hub_on_a_small_disk(node, {})
        accepted = self.send(hub, ["before@full.example.net"])
        free = shutil.disk_usage(disk).free
        (disk / "others").write_bytes(bytes(free - 8 * 1024 * 1024))
        wait_until(lambda: hub.metric("relay_load_shedding") == 1, 30, "the hub has noticed")
        self.assertEqual(http_calls.get(hub.metrics_address, "/readyz")[0], 503)
        _, refused = self.fill(hub, shedding=1)
        self.assertEqual(refused, 452)
        self.give_room(hub, disk)
        self.assertEqual(hub.metric("dumpster_store_reopened_total"), 0)
        self.deliver_all(hub, node, accepted)

    def test_a_full_disk_is_refused_with_4xx_and_the_hub_recovers_when_there_is_room(self):
        (node,) = self.sinks("node1")
        hub, disk = self.hub_on_a_small_disk(node, {"min_free_disk": 0})
        accepted, refused = self.fill(hub)
        self.assertEqual(refused, 451)
        self.assertTrue(accepted)
        self.assertEqual(http_calls.get(hub.metrics_address, "/readyz")[0], 503)
        self.assertEqual(hub.metric("relay_load_shedding"), 1)
        self.assertEqual(hub.api().activate(CLUSTER, "node1", 1)[0], 503)
        self.give_room(hub, disk)
        self.assertGreaterEqual(hub.metric("dumpster_store_reopened_total"), 1)
        self.deliver_all(hub, node, accepted)

    def test_a_hub_does_not_start_on_a_disk_that_is_read_only_and_changes_nothing(self):
        (node,) = self.sinks("node1")
        node.kill()
        disk = self.workspace.base / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", disk], check=True)
        self.workspace.callback(subprocess.run, ["umount", "--lazy", disk], check=False)
        hub = self.clustered_hub([node], settings={"hub": {"data_dir": disk / "data"}})
        accepted = self.send(hub, ["kept@x"])
        hub.kill()
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        before = file_digests(disk)
        hub.start(ready=False)
        self.assertEqual(hub.process.wait(30), 1)
        self.assertIn("Read-only file system", hub.log())
        self.assertEqual(file_digests(disk), before)
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        node.start()
        hub.start()
        self.wait_copies(node, accepted)


if __name__ == "__main__":
    unittest.main()
