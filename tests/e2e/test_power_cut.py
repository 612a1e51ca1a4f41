import smtplib
import unittest

from case import ALICE, EndToEnd
from harness.load import message
from harness.power import Disk, available


@unittest.skipUnless(available(), "no loop devices here")
class PowerCut(EndToEnd):
    def test_the_disk_of_these_tests_loses_what_was_not_synced(self):
        disk = Disk(self.workspace, "disk")
        disk.write("synced", synced=True)
        disk.write("unsynced", synced=False)
        after = disk.after_a_power_cut(self.workspace, "after")
        self.assertTrue(after.has("synced"))
        self.assertFalse(after.has("unsynced"))

    def test_what_was_answered_with_250_survives_a_power_cut_at_that_instant(self):
        (node,) = self.sinks("node1")
        node.kill()
        disk = Disk(self.workspace, "disk")
        hub = self.clustered_hub([node], settings={"hub": {"data_dir": disk.mounted / "data"}})
        accepted = {}
        with smtplib.SMTP("127.0.0.1", hub.smtp_port, timeout=30) as client:
            for number, size in enumerate([2_000, 500, 300_000, 60_000, 5_000_000, 1_000]):
                text = message(f"{number}@power.example.net", [ALICE], size)
                self.assertEqual(client.sendmail("sender@example.net", [ALICE], text), {})
                # No pause: whatever is still on its way to the disk is lost here.
                accepted[number] = disk.after_a_power_cut(self.workspace, f"after{number}")
        hub.kill()
        node.start()
        for number, after in accepted.items():
            hub.settings["hub"]["data_dir"] = after.mounted / "data"
            hub.start()
            self.wait_copies(node, {(ALICE, f"{earlier}@power.example.net") for earlier in range(number + 1)})
            hub.wait_spool_empty()
            self.assertEqual(hub.stop(), 0)


if __name__ == "__main__":
    unittest.main()
