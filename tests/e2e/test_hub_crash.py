import unittest

from case import ALICE, BOB, CLUSTER, EndToEnd
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

    def test_an_activation_that_comes_while_the_spool_is_loaded_is_answered_and_holds(self):
        node1, node2 = self.sinks("node1", "node2")
        hub = self.clustered_hub([node1, node2])
        node1.kill()
        mails = self.send(hub, [f"m{number}@x" for number in range(300)])
        hub.kill()
        hub.start(ready=False)

        def activated():
            try:
                return hub.api().activate(CLUSTER, "node2", 1)
            except OSError:
                return None

        status, answer = wait_until(activated, 30, "the activation is answered", pause=0.002)
        self.assertEqual((status, answer["active"], answer["term"]), (200, "node2", 1))
        hub.wait_ready()
        self.wait_copies(node2, mails)
        hub.wait_spool_empty()
        self.assert_each_once(node2.copies(), mails)


if __name__ == "__main__":
    unittest.main()
