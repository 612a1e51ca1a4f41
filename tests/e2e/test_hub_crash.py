import unittest

from case import ALICE, BOB, EndToEnd
from harness.load import Load
from harness.processes import wait_until


class Durability(EndToEnd):
    def test_accepted_mail_survives_kill_9_of_the_hub_and_is_delivered_after_the_restart(self):
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node])
        node.kill()
        load = self.workspace.own(Load(hub.smtp_port, [ALICE, BOB], count=400).start())
        for accepted in (100, 200, 300):
            wait_until(lambda: len(load.accepted) > accepted, 60, f"{accepted} accepted", pause=0.005)
            hub.kill()
            hub.start()
        load.join()
        self.assertTrue(load.finished())
        node.start()
        self.wait_copies(node, load.accepted)
        hub.wait_spool_empty()

    def test_a_kill_9_in_the_middle_of_deliveries_loses_nothing(self):
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node])
        load = self.workspace.own(Load(hub.smtp_port, [ALICE, BOB], count=300).start())
        wait_until(lambda: len(node.acknowledged) > 100, 60, "100 deliveries", pause=0.005)
        hub.kill()
        hub.start()
        load.join()
        self.wait_copies(node, load.accepted)
        hub.wait_spool_empty()


if __name__ == "__main__":
    unittest.main()
