import os
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
    def test_a_full_disk_is_refused_with_4xx_and_the_hub_recovers_when_there_is_room(self):
        (node,) = self.sinks("node1")
        node.kill()
        disk = self.workspace.base / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", disk], check=True)
        self.workspace.callback(subprocess.run, ["umount", "--lazy", disk], check=False)
        hub = self.clustered_hub([node], settings={"hub": {"data_dir": disk / "data"}})
        self.assertEqual(hub.metric("relay_load_shedding"), 0)
        accepted, refused = set(), None
        with smtplib.SMTP("127.0.0.1", hub.smtp_port, timeout=60) as client:
            for number in range(40):
                text = message(f"{number}@full.example.net", [ALICE], 3_000_000)
                try:
                    client.sendmail("sender@example.net", [ALICE], text)
                    accepted.add((ALICE, f"{number}@full.example.net"))
                except smtplib.SMTPResponseException as error:
                    refused = error.smtp_code
                    break
        self.assertEqual(refused, 451)
        self.assertTrue(accepted)
        self.assertEqual(http_calls.get(hub.metrics_address, "/readyz")[0], 503)
        self.assertEqual(hub.metric("relay_load_shedding"), 1)
        self.assertEqual(hub.api().activate(CLUSTER, "node1", 1)[0], 503)
        subprocess.run(["mount", "-o", "remount,size=256m", disk], check=True)
        wait_until(lambda: http_calls.get(hub.metrics_address, "/readyz")[0] == 200, 60, "the hub has recovered by itself")
        self.assertEqual(hub.metric("relay_load_shedding"), 0)
        self.assertGreaterEqual(hub.metric("dumpster_store_reopened_total"), 1)
        node.start()
        accepted |= self.send(hub, ["after@full.example.net"])
        self.wait_copies(node, accepted)
        hub.wait_spool_empty()
        self.assert_each_once(node.copies(), accepted)

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
